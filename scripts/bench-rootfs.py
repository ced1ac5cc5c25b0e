"""Measures unpacking and packing; called by bench-rootfs.sh with a directory to work in."""

import json
import os
import shutil
import statistics
import subprocess
import sys
import time

WORK = sys.argv[1]
JRUN = os.environ["JRUN"]
ROUNDS = int(os.environ["BENCH_ROUNDS"])
LIMIT = int(os.environ["BENCH_MB"]) << 20


def path(name):
    return os.path.join(WORK, name)


def run(*words, **more):
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more)


def package_files():
    """The files of this machine's packages, up to the limit, with their directories."""
    listed = subprocess.run(
        "cat /var/lib/dpkg/info/*.list | LC_ALL=C sort -u", shell=True, check=True, capture_output=True
    ).stdout.split(b"\n")
    size = 0
    for name in listed:
        if not name.startswith((b"/usr/", b"/etc/")) or not os.path.lexists(name):
            continue
        if os.path.isfile(name) and not os.path.islink(name):
            if size + os.path.getsize(name) > LIMIT:
                continue
            size += os.path.getsize(name)
        yield name[1:]


def timed(words, directory):
    shutil.rmtree(directory, ignore_errors=True)
    if words[0] == "tar" and "-x" in words:
        os.makedirs(directory)
    start = time.monotonic()
    run(*words)
    taken = time.monotonic() - start
    shutil.rmtree(directory, ignore_errors=True)
    return taken


def compare(title, commands):
    """In each round all commands, one after the other; the first round warms up."""
    times = {name: [] for name, _, _ in commands}
    for round_number in range(ROUNDS):
        for name, words, directory in commands:
            taken = timed(words, directory)
            if round_number:
                times[name].append(taken)
    medians = {name: statistics.median(values) for name, values in times.items()}
    ours = medians["jrun"]
    for name, value in medians.items():
        ratio = "" if name == "jrun" else f"{value / ours:.2f} x"
        print(f"| {title} | {name} | {value * 1000:.0f} ms | {ratio} |", flush=True)


def main():
    names = path("names")
    with open(names, "wb") as out:
        out.write(b"\n".join(package_files()))
    plain = path("tree.tar")
    run("tar", "--format=pax", "--numeric-owner", "--no-recursion", "-C", "/", "-cf", plain, "-T", names)
    run("sh", "-c", f"gzip -6 -k {plain}; zstd -q -k {plain}")
    layout = path("layout")
    run("umoci", "init", "--layout", layout)
    run("umoci", "new", "--image", layout + ":a")
    run("umoci", "raw", "add-layer", "--image", layout + ":a", plain)
    entries = sum(1 for _ in open(names, "rb"))
    print(f"{entries} entries, {os.path.getsize(plain) >> 20} MiB, gzip {os.path.getsize(plain + '.gz') >> 20} MiB\n")
    print("| what | program | median | jrun is faster by |")
    print("| --- | --- | ---: | ---: |")
    to = path("to")
    for title, archive in (("plain tar", plain), ("gzip", plain + ".gz"), ("zstd", plain + ".zst")):
        compare(
            f"unpack {title}",
            [
                ("jrun", [JRUN, "rootfs", "unpack", archive, to], to),
                ("GNU tar", ["tar", "-x", "-C", path("theirs"), "-f", archive], path("theirs")),
            ],
        )
    compare(
        "unpack an image (gzip layer)",
        [
            ("jrun", [JRUN, "rootfs", "unpack", layout, to], to),
            ("umoci", ["umoci", "unpack", "--image", layout + ":a", path("umoci")], path("umoci")),
        ],
    )
    tree = path("tree")
    os.makedirs(tree)
    run("tar", "-x", "-C", tree, "-f", plain)
    compare(
        "pack",
        [
            ("jrun", [JRUN, "rootfs", "pack", tree, path("packed.tar")], to),
            ("GNU tar", ["tar", "--format=pax", "--sort=name", "-C", tree, "-c", "-f", path("theirs.tar"), "."], to),
        ],
    )
    status = json.loads(subprocess.run([JRUN, "engine", "status", "--format", "json"], capture_output=True).stdout)
    with open(f"/proc/{status['pid']}/status") as lines:
        peak = next(line for line in lines if line.startswith("VmHWM")).split()[1]
    print(f"\nThe engine's peak resident size after all that: {int(peak) >> 10} MiB, the window included.")


main()

"""The measurements of bench.sh: python3 bench.py WORK, where WORK holds bundle/rootfs and cycle.sh."""

import ctypes
import json
import os
import pathlib
import shlex
import shutil
import statistics
import subprocess
import sys
import time

WORK = pathlib.Path(sys.argv[1])
OUT = pathlib.Path(os.environ["BENCH_OUT"])
RUNS = int(os.environ.get("BENCH_RUNS", "100"))
WARMUP = int(os.environ.get("BENCH_WARMUP", "200"))  # a resident engine is warm in its daily life
CONTAINERS = int(os.environ["BENCH_CONTAINERS"])
PARALLEL = int(os.environ["BENCH_PARALLEL"])
BUNDLE = WORK / "bundle"
SLEEPER = WORK / "sleeper"
FILTERED = WORK / "filtered"

ROWS = []  # case, unit, {runtime: number}, goal, whether it is met (None: no goal or no number)
NOTES = []


def note(text):
    NOTES.append(text)
    print("bench: " + text, file=sys.stderr)


class Runtime:
    def __init__(self, name, binary):
        self.name, self.binary = name, binary
        self.root = WORK / "state" / name

    def words(self, *arguments):
        return [self.binary, "--root", str(self.root), *map(str, arguments)]

    def call(self, *arguments, check=True):
        """Output goes to a file, as a container that goes on running keeps the descriptors."""
        with open(WORK / "output", "w+") as output:
            process = subprocess.run(
                self.words(*arguments), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, timeout=60
            )
            output.seek(0)
            text = output.read()
        if check and process.returncode:
            raise RuntimeError("%s: exit %d: %s" % (" ".join(process.args), process.returncode, text.strip()))
        return text


def write_bundles(spec_runtime):
    for bundle, args in ((BUNDLE, ["/bin/true"]), (SLEEPER, ["/bin/sleep", "100000"])):
        bundle.mkdir(exist_ok=True)
        if not (bundle / "config.json").exists():
            subprocess.run([spec_runtime.binary, "spec"], cwd=bundle, check=True)
        config = json.loads((bundle / "config.json").read_text())
        config["process"]["terminal"] = False
        config["process"]["args"] = args
        config["root"] = {"path": str(BUNDLE / "rootfs"), "readonly": True}
        (bundle / "config.json").write_text(json.dumps(config))


# What a profile of Docker's shape leaves out, for all who have no more capabilities than its containers.
PRIVILEGED = """
acct add_key afs_syscall bdflush bpf clock_settime clock_settime64 clone3 create_module delete_module fanotify_init finit_module
fsconfig fsmount fsopen fspick get_kernel_syms get_mempolicy init_module ioperm iopl kcmp kexec_file_load kexec_load keyctl
lookup_dcookie mbind migrate_pages mount mount_setattr move_mount move_pages name_to_handle_at nfsservctl open_by_handle_at open_tree
perf_event_open personality pivot_root process_vm_readv process_vm_writev ptrace query_module quotactl reboot request_key
set_mempolicy setdomainname sethostname setns settimeofday socketcall stime swapoff swapon sysfs _sysctl syslog umount umount2 unshare uselib
userfaultfd ustat vhangup vm86 vm86old clone socket
""".split()
AUDIT_ARCHES = {"x86_64": (0xC000003E, 0x40000003), "aarch64": (0xC00000B7, 0x40000028)}  # and their 32-bit ones
PER_LINUX, PER_LINUX32, UNAME26 = 0, 8, 0x20000
NEW_NAMESPACES = 0x7E020000
AF_VSOCK = 40


def syscall_names():
    """The names that libseccomp knows for this machine, in its 64-bit and 32-bit modes."""
    library = ctypes.CDLL("libseccomp.so.2")
    library.seccomp_syscall_resolve_num_arch.restype = ctypes.c_void_p
    libc = ctypes.CDLL(None)
    names = {}
    for arch in AUDIT_ARCHES[os.uname().machine]:
        for number in range(512):
            text = library.seccomp_syscall_resolve_num_arch(ctypes.c_uint32(arch), number)
            if text:
                names[ctypes.string_at(text).decode()] = True
                libc.free(ctypes.c_void_p(text))
    return list(names)


def full_profile():
    """A filter in the shape of Docker's default: what is allowed is listed, a few calls by their arguments."""
    allow = "SCMP_ACT_ALLOW"
    names = [name for name in syscall_names() if name not in PRIVILEGED]

    def argument(value, op, two=None):
        return {"index": 0, "value": value, "op": op} | ({"valueTwo": two} if two is not None else {})

    rules = [{"names": names, "action": allow}]
    for persona in (PER_LINUX, PER_LINUX32, UNAME26, UNAME26 | PER_LINUX32, 0xFFFFFFFF):
        rules.append({"names": ["personality"], "action": allow, "args": [argument(persona, "SCMP_CMP_EQ")]})
    rules.append({"names": ["socket"], "action": allow, "args": [argument(AF_VSOCK, "SCMP_CMP_NE")]})
    rules.append({"names": ["clone"], "action": allow, "args": [argument(NEW_NAMESPACES, "SCMP_CMP_MASKED_EQ", 0)]})
    rules.append({"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38})
    arm = os.uname().machine == "aarch64"
    architectures = ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"] if arm else ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"]
    note("the full seccomp profile names %d calls" % len(names))
    return {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 1, "architectures": architectures, "syscalls": rules}


def write_filtered_bundle():
    FILTERED.mkdir(exist_ok=True)
    config = json.loads((BUNDLE / "config.json").read_text())
    config["linux"]["seccomp"] = full_profile()
    (FILTERED / "config.json").write_text(json.dumps(config))


def filtered_case(runtimes):
    try:
        write_filtered_bundle()
    except OSError as e:
        note("no run with seccomp: %s" % e)
        return
    run = {r.name: r.words("run", "--bundle", FILTERED, "bench-filtered") for r in runtimes}
    against_peers("run with a full seccomp profile", hyperfine("run-seccomp", run), "≤ 0.5 × crun")


def usable(runtime):
    try:
        runtime.call("run", "--bundle", BUNDLE, "bench-try")
        return True
    except (RuntimeError, OSError, subprocess.TimeoutExpired) as e:
        note("%s is left out: %s" % (runtime.name, e))
        return False


def hyperfine(case, commands, prepare=None, warmup=WARMUP, runs=RUNS):
    """commands: {name: words}; returns {name: median in ms} and keeps the JSON as CASE.json."""
    result = {}
    every = []
    for name, words in commands.items():  # one at a time, so that the failure of one spares the others
        export = WORK / "hyperfine.json"
        line = ["hyperfine", "-N", "--style", "none", "--warmup", str(warmup), "--runs", str(runs)]
        line += ["--export-json", str(export), "--command-name", name]
        if prepare:
            line += ["--prepare", shlex.join(prepare)]
        process = subprocess.run(line + [shlex.join(words)], capture_output=True, text=True)
        if process.returncode:
            note("%s, %s: %s" % (case, name, process.stderr.strip().splitlines()[-1:] or process.returncode))
            continue
        measured = json.loads(export.read_text())["results"][0]
        every.append(measured)
        result[name] = measured["median"] * 1000
    (OUT / (case.replace(" ", "-") + ".json")).write_text(json.dumps({"results": every}, indent=1))
    return result


def row(case, unit, numbers, goal="", met=None):
    ROWS.append((case, unit, numbers, goal, met))


def against_peers(case, numbers, goal="≤ 0.5 × crun, ≤ 0.2 × runc"):
    met = None
    if "jrun" in numbers:
        parts = []
        if "crun" in numbers:
            parts.append(numbers["jrun"] <= 0.5 * numbers["crun"])
        if "runc" in numbers and "runc" in goal:
            parts.append(numbers["jrun"] <= 0.2 * numbers["runc"])
        met = all(parts) if parts else None
    row(case, "ms", numbers, goal, met)


def at_most(case, unit, numbers, limit):
    met = numbers["jrun"] <= limit if "jrun" in numbers else None
    row(case, unit, numbers, "≤ %g %s" % (limit, unit), met)


def kilobytes(pid, field, file="smaps_rollup"):
    for line in pathlib.Path("/proc/%d/%s" % (pid, file)).read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1])
    raise RuntimeError("no %s of process %d" % (field, pid))


def container_pids(runtime, id):
    pid = json.loads(runtime.call("state", id))["pid"]
    for line in pathlib.Path("/proc/%d/cgroup" % pid).read_text().splitlines():
        number, controllers, path = line.split(":", 2)
        base = pathlib.Path("/sys/fs/cgroup") / ("" if number == "0" else controllers)
        procs = pathlib.Path(str(base) + path) / "cgroup.procs"
        if path != "/" and procs.exists() and id in path:
            return [int(p) for p in procs.read_text().split()] or [pid]
    return [pid]


def container_memory(runtimes):
    for phase in ("created", "running"):
        numbers = {}
        for runtime in runtimes:
            try:
                id = "bench-memory"
                runtime.call("create", "--bundle", SLEEPER, id)
                if phase == "running":
                    runtime.call("start", id)
                    time.sleep(0.2)
                numbers[runtime.name] = sum(kilobytes(pid, "Pss") for pid in container_pids(runtime, id))
            except (RuntimeError, OSError) as e:
                note("memory of a %s container, %s: %s" % (phase, runtime.name, e))
            finally:
                runtime.call("delete", "--force", id, check=False)
        if phase == "created":
            at_most("memory of a created container (PSS)", "KB", numbers, 200)
        else:
            row("memory of a running container (PSS)", "KB", numbers)


def engine_pid(jrun):
    jrun.call("--version")  # starts one where none runs
    return json.loads(jrun.call("engine", "status", "--format", "json"))["pid"]


def engine_size(pid):
    proc = pathlib.Path("/proc/%d" % pid)
    return {
        "rss": kilobytes(pid, "Rss") / 1024,
        "pss": kilobytes(pid, "Pss") / 1024,
        "threads": len(list((proc / "task").iterdir())),
        "fds": len(list((proc / "fd").iterdir())),
    }


def engine_over_time(jrun):
    try:
        jrun.call("engine", "stop", check=False)
        jrun.call("run", "--bundle", BUNDLE, "bench-engine")
        pid = engine_pid(jrun)
    except (RuntimeError, OSError, ValueError, KeyError) as e:
        note("no engine to measure: %s" % str(e).splitlines()[0])
        return
    before = engine_size(pid)
    done = 0
    for count in (max(1, CONTAINERS // 10), CONTAINERS):
        while done < count:
            jrun.call("run", "--bundle", BUNDLE, "bench-engine")
            done += 1
        if engine_pid(jrun) != pid:
            note("the engine was replaced before %d containers" % count)
            return
        size = engine_size(pid)
        if count == CONTAINERS:
            at_most("engine after %d containers (RSS)" % count, "MB", {"jrun": size["rss"]}, 120)
        else:
            row("engine after %d containers (RSS)" % count, "MB", {"jrun": size["rss"]})
        row("engine after %d containers (PSS)" % count, "MB", {"jrun": size["pss"]})
    after = engine_size(pid)
    for what in ("threads", "fds"):
        row("engine's %s before %d containers" % (what, CONTAINERS), "", {"jrun": before[what]})
        slack = 8 if what == "fds" else 16
        row(
            "engine's %s after" % what,
            "",
            {"jrun": after[what]},
            "≤ before + %d" % slack,
            after[what] <= before[what] + slack,
        )


def at_once(runtimes):
    numbers = {}
    for runtime in runtimes:
        start = time.monotonic()
        processes = [
            subprocess.Popen(
                runtime.words("run", "--bundle", BUNDLE, "bench-many-%d" % i),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            for i in range(PARALLEL)
        ]
        failed = sum(1 for process in processes if process.wait(timeout=300))
        numbers[runtime.name] = (time.monotonic() - start) * 1000
        if failed:
            note("%d at once, %s: %d failed" % (PARALLEL, runtime.name, failed))
    row("%d containers at once, until the last has ended" % PARALLEL, "ms", numbers)


def exec_case(runtimes):
    started = []
    for runtime in runtimes:
        try:
            runtime.call("run", "--detach", "--bundle", SLEEPER, "bench-exec")
            started.append(runtime)
        except RuntimeError as e:
            note("exec, %s: %s" % (runtime.name, e))
    against_peers("exec", hyperfine("exec", {r.name: r.words("exec", "bench-exec", "/bin/true") for r in started}))
    for runtime in started:
        runtime.call("delete", "--force", "bench-exec", check=False)


def in_turns(commands, turns=RUNS, block=5):
    """Medians in ms of commands that are compared by their difference: they run in turns, so that both see the same machine."""
    times = {name: [] for name in commands}
    for turn in range(turns + WARMUP // block):
        for name, words in commands.items():
            for _ in range(block):
                begin = time.perf_counter()
                pid = os.posix_spawn(words[0], words, os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)])
                status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                if status:
                    raise RuntimeError("%s: exit %d" % (" ".join(words), status))
                if turn >= WARMUP // block:
                    times[name].append((time.perf_counter() - begin) * 1000)
    return {name: statistics.median(all) for name, all in times.items()}


def image_case(jrun):
    store, archive, bundle = WORK / "store", WORK / "image.tar", WORK / "of-image"
    try:
        jrun.call("rootfs", "pack", "--oci", "--name", "bench", BUNDLE / "rootfs", archive)
        jrun.call("image", "load", "--store", store, archive)
        jrun.call("bundle", "create", "--store", store, "--image", "bench", bundle, "/bin/true")
        image = ["--image", "bench", "--store", str(store), "--rm", "bench-image", "/bin/true"]
        medians = in_turns({"bundle": jrun.words("run", "--bundle", bundle, "bench-image"), "image": jrun.words("run", *image)})
    except RuntimeError as e:
        note("no run of a stored image: %s" % e)
        return
    row("run of a stored image", "ms", {"jrun": medians["image"]})
    at_most("the same, over a run of its bundle", "ms", {"jrun": medians["image"] - medians["bundle"]}, 3)


def cold_cases(jrun):
    try:
        engine_pid(jrun)
    except (RuntimeError, OSError, ValueError, KeyError) as e:
        note("%s has no engine, so the cases of the engine are left out: %s" % (jrun.binary, str(e).splitlines()[0]))
        return False
    run = jrun.words("run", "--bundle", BUNDLE, "bench-cold")
    first = hyperfine("first command", {"jrun": run}, prepare=jrun.words("engine", "stop"), warmup=1, runs=10)
    at_most("first command, which starts the engine", "ms", first, 300)
    one_shot = hyperfine("one-shot", {"jrun": ["env", "JRUN_ENGINE=off", *run]}, warmup=1, runs=10)
    at_most("JRUN_ENGINE=off", "ms", one_shot, 400)
    return True


def show(number, unit):
    if number is None:
        return "—"
    return ("%.0f" if unit in ("KB", "") else "%.1f") % number + (" " + unit if unit else "")


def ratio(numbers, peer):
    return "%.2f" % (numbers["jrun"] / numbers[peer]) if "jrun" in numbers and numbers.get(peer) else "—"


def table(runtimes):
    names = ["jrun", "crun", "runc"]
    print("| case (median of %s) | %s | jrun/crun | jrun/runc | goal | met |" % (RUNS, " | ".join(names)))
    print("| --- | " + "---: | " * 5 + "--- | --- |")
    for case, unit, numbers, goal, met in ROWS:
        cells = [show(numbers.get(name), unit) for name in names]
        verdict = "" if not goal else {True: "yes", False: "**no**", None: "—"}[met]
        print("| %s | %s | %s | %s | %s | %s |"
              % (case, " | ".join(cells), ratio(numbers, "crun"), ratio(numbers, "runc"), goal, verdict))
    print()
    for runtime in runtimes:
        version = subprocess.run([runtime.binary, "--version"], capture_output=True, text=True).stdout.splitlines()
        print("- %s: `%s`, %s" % (runtime.name, runtime.binary, version[0] if version else "no version"))
    print("- kernel %s, %d CPUs" % (os.uname().release, os.cpu_count() or 0))
    for text in NOTES:
        print("- note: " + " ".join(text.split())[:300])


def main():
    found = []
    for name, binary in (("jrun", os.environ["JRUN"]), ("crun", "crun"), ("runc", "runc")):
        path = shutil.which(binary)
        if path:
            found.append(Runtime(name, os.path.abspath(path)))
        else:
            note("%s is left out: there is no %s" % (name, binary))
    if not found:
        sys.exit("bench: no runtime at all")
    # the oldest template is understood by all
    write_bundles(found[-1])
    runtimes = [runtime for runtime in found if usable(runtime)]

    run = {r.name: r.words("run", "--bundle", BUNDLE, "bench-run") for r in runtimes}
    against_peers("run", hyperfine("run", run))
    filtered_case(runtimes)
    exec_case(runtimes)
    cycle = {r.name: ["/bin/sh", str(WORK / "cycle.sh"), r.binary, str(r.root), str(BUNDLE), "bench-cycle"] for r in runtimes}
    row("create, start, delete", "ms", hyperfine("create-start-delete", cycle))
    jrun = next((runtime for runtime in runtimes if runtime.name == "jrun"), None)
    if jrun:
        image_case(jrun)
    if jrun and cold_cases(jrun):
        engine_over_time(jrun)
    container_memory(runtimes)
    at_once(runtimes)
    table(found)


main()

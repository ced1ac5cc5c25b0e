#!/usr/bin/env python3
"""Measures io.containerd.jrun.v2 beside io.containerd.runc.v2 in one containerd; prints a table.

JRUN=build/install/bin/jrun   beside which containerd-shim-jrun-v2 lies
BENCH_RUNS=30                 runs of each, in turn
BENCH_PODS=50                 pods that start at once
All of it happens in a network namespace of its own, with a root, state and socket of its own. A pod is what the CRI plugin
makes of one for the shim: a sandbox container and a container that joins its namespaces, in one group.
"""

import concurrent.futures
import hashlib
import io
import json
import os
import pathlib
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import tarfile
import tempfile
import time

RUNS = int(os.environ.get("BENCH_RUNS", "30"))
PODS = int(os.environ.get("BENCH_PODS", "50"))
WARMUP = int(os.environ.get("BENCH_WARMUP", "100"))  # a resident engine is warm in its daily life
AT_ONCE = 8
JRUN = pathlib.Path(os.environ.get("JRUN", "build/install/bin/jrun")).absolute()
SHIMS = {"jrun": "io.containerd.jrun.v2", "runc": "io.containerd.runc.v2"}
IMAGE = "bench/busybox:1"
NAMESPACE = "bench"


# The image

def digest(blob):
    return "sha256:" + hashlib.sha256(blob).hexdigest()


def add(archive, name, blob):
    entry = tarfile.TarInfo(name)
    entry.size = len(blob)
    archive.addfile(entry, io.BytesIO(blob))


def write_image(path):
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as archive:
        for name in ("bin", "dev", "etc", "proc", "run", "sys", "tmp"):
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(entry)
        archive.add("/bin/busybox", "bin/busybox")
        for name in ("sh", "true", "sleep"):
            entry = tarfile.TarInfo("bin/" + name)
            entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(entry)
    layer = layer.getvalue()
    architecture = "arm64" if os.uname().machine == "aarch64" else "amd64"
    config = json.dumps({"architecture": architecture, "os": "linux", "config": {"Env": ["PATH=/bin"], "Cmd": ["sh"]},
                         "rootfs": {"type": "layers", "diff_ids": [digest(layer)]}}).encode()
    oci = "application/vnd.oci.image."
    manifest = json.dumps({
        "schemaVersion": 2, "mediaType": oci + "manifest.v1+json",
        "config": {"mediaType": oci + "config.v1+json", "digest": digest(config), "size": len(config)},
        "layers": [{"mediaType": oci + "layer.v1.tar", "digest": digest(layer), "size": len(layer)}]}).encode()
    index = json.dumps({"schemaVersion": 2, "manifests": [
        {"mediaType": oci + "manifest.v1+json", "digest": digest(manifest), "size": len(manifest),
         "annotations": {"io.containerd.image.name": IMAGE}}]}).encode()
    with tarfile.open(path, "w") as archive:
        add(archive, "oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
        add(archive, "index.json", index)
        for blob in (layer, config, manifest):
            add(archive, "blobs/sha256/" + digest(blob)[7:], blob)


# ttrpc: as much of it, and of protobuf, as a client of the task service needs

def varint(number):
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value) if value else b""
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value if value else b""


def fields(data):
    found, at = {}, 0

    def number():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value
    while at < len(data):
        tag = number()
        value = number()
        if tag & 7 == 2:
            value, at = data[at:at + value], at + value
        found[tag >> 3] = value
    return found


class Ttrpc:
    def __init__(self, address):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(address.removeprefix("unix://"))
        self.stream = 1

    def call(self, method, request):
        data = (field(1, "containerd.task.v2.Task") + field(2, method) + field(3, request)
                + field(5, field(1, "containerd-namespace-ttrpc") + field(2, NAMESPACE)))
        self.socket.sendall(struct.pack(">IIBB", len(data), self.stream, 1, 0) + data)
        length, stream, _, _ = struct.unpack(">IIBB", self.read(10))
        answer = fields(self.read(length))
        if stream != self.stream:
            sys.exit("bench: an answer to %d, not %d" % (stream, self.stream))
        self.stream += 2
        status = fields(answer.get(1, b""))
        if status.get(1):
            sys.exit("bench: %s: %s" % (method, status.get(2, b"").decode()))
        return fields(answer.get(2, b""))

    def read(self, length):
        data = b""
        while len(data) < length:
            more = self.socket.recv(length - len(data))
            if not more:
                sys.exit("bench: the shim has closed the connection")
            data += more
        return data


class Bench:
    def __init__(self, directory):
        self.directory = directory
        self.socket = directory / "containerd.sock"
        self.serial = 0
        (directory / "config.toml").write_text(
            'version = 2\nroot = "%s/root"\nstate = "%s/state"\ndisabled_plugins = ["io.containerd.grpc.v1.cri", '
            '"io.containerd.internal.v1.opt"]\n[grpc]\naddress = "%s"\n' % (directory, directory, self.socket))
        env = dict(os.environ, PATH="%s:%s" % (JRUN.parent, os.environ["PATH"]))
        self.env = env
        self.daemon = subprocess.Popen(["containerd", "--config", directory / "config.toml"], env=env,
                                       stdin=subprocess.DEVNULL, stdout=open(directory / "log", "w"), stderr=subprocess.STDOUT)
        while subprocess.run(self.ctr("version"), capture_output=True).returncode:
            if self.daemon.poll() is not None:
                sys.exit("bench: containerd does not start: " + (directory / "log").read_text())
            time.sleep(0.05)
        write_image(directory / "image.tar")
        subprocess.run(self.ctr("images", "import", directory / "image.tar"), check=True, stdout=subprocess.DEVNULL)

    def ctr(self, *words):
        return ["ctr", "--address", str(self.socket), "--namespace", NAMESPACE, *map(str, words)]

    def run(self, *words):
        done = subprocess.run(self.ctr(*words), capture_output=True, stdin=subprocess.DEVNULL)
        if done.returncode:
            sys.exit("bench: ctr %s: %s" % (" ".join(map(str, words)), done.stderr.decode()))
        return done.stdout.decode()

    def id(self):
        self.serial += 1
        return "b%d" % self.serial

    @staticmethod
    def timed(action):
        start = time.perf_counter()
        action()
        return (time.perf_counter() - start) * 1000

    def run_true(self, shim):
        return self.timed(lambda: self.run("run", "--rm", "--null-io", "--runtime", SHIMS[shim], IMAGE, self.id(), "true"))

    # A shim without containerd: the calls that containerd makes, and nothing else

    def bundle(self, id):
        bundle = self.directory / "bundles" / id
        (bundle / "rootfs").mkdir(parents=True)
        for name in ("bin", "proc", "dev", "sys"):
            (bundle / "rootfs" / name).mkdir()
        shutil.copy("/bin/busybox", bundle / "rootfs/bin/true")
        config = json.loads(subprocess.check_output([JRUN, "spec", "--bundle", bundle]) or (bundle / "config.json").read_bytes())
        config["process"].update(terminal=False, args=["/bin/true"])
        config["linux"]["cgroupsPath"] = "/%s/%s" % (NAMESPACE, id)
        (bundle / "config.json").write_text(json.dumps(config))
        return bundle

    def shim(self, shim, bundle, id, *action):
        binary = "containerd-shim-%s-v2" % shim
        env = dict(self.env, TTRPC_ADDRESS=str(self.socket) + ".ttrpc", GOMAXPROCS="2")
        return subprocess.run([binary, "-namespace", NAMESPACE, "-address", self.socket, "-publish-binary", shutil.which("containerd"),
                               "-id", id, *action], cwd=bundle, env=env, stdin=subprocess.DEVNULL, capture_output=True, check=True)

    def api(self, shim):
        id = self.id()
        bundle = self.bundle(id)
        os.mkfifo(bundle / "log")
        log = os.open(bundle / "log", os.O_RDWR)
        address = self.shim(shim, bundle, id, "start").stdout.decode().strip()
        task = Ttrpc(address)
        task.call("Connect", field(1, id))

        def calls():
            task.call("Create", field(1, id) + field(2, str(bundle)))
            task.call("Start", field(1, id))
            task.call("Wait", field(1, id))
            task.call("Delete", field(1, id))
        millis = self.timed(calls)
        try:
            task.call("Shutdown", field(1, id))
        except (SystemExit, OSError):
            pass  # runc's shim is gone before it answers
        self.shim(shim, bundle, id, "-bundle", bundle, "delete")
        os.close(log)
        shutil.rmtree(bundle)
        return millis

    # Pods

    def pod(self, shim):
        sandbox, container = self.id(), self.id()
        group = ["--annotation", "io.kubernetes.cri.sandbox-id=" + sandbox]
        flags = ["run", "--detach", "--null-io", "--runtime", SHIMS[shim], *group]
        self.run(*flags, IMAGE, sandbox, "sleep", "100000")
        pid = self.pid(sandbox)
        joined = [word for name in ("network:net", "ipc:ipc", "uts:uts")
                  for word in ("--with-ns", "%s:/proc/%d/ns/%s" % (name.split(":")[0], pid, name.split(":")[1]))]
        self.run(*flags, *joined, IMAGE, container, "sleep", "100000")
        return sandbox, container

    def pid(self, id):
        for line in self.run("tasks", "ls").splitlines():
            words = line.split()
            if words[0] == id:
                return int(words[1])
        sys.exit("bench: no task " + id)

    def remove(self, *ids):
        for id in ids:
            self.run("tasks", "delete", "--force", id)
        self.run("containers", "delete", *ids)

    def pods_at_once(self, shim, count):
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as threads:
            start = time.perf_counter()
            pods = list(threads.map(lambda _: self.pod(shim), range(count)))
            seconds = time.perf_counter() - start
        return pods, count / seconds

    def remove_all(self, pods):
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as threads:
            list(threads.map(lambda pod: self.remove(*reversed(pod)), pods))

    def memory(self, shim):
        """KiB of all shims, and of the engine: proportional set sizes."""
        shims = engine = 0
        own = os.readlink("/proc/self/ns/net")
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if os.readlink(process / "ns/net") != own:
                    continue
                line = (process / "cmdline").read_bytes()
                pss = int(next(l for l in (process / "smaps_rollup").read_text().splitlines() if l.startswith("Pss:")).split()[1])
            except (OSError, StopIteration):
                continue
            if b"containerd-shim-%s-v2" % shim.encode() in line:
                shims += pss
            elif b"io.jrun.runtime.engine.Main" in line and shim == "jrun":
                engine += pss
        return shims, engine

    def probe(self, shim, container):
        """What the kubelet's exec probe asks of the shim."""
        bundle = self.directory / "state/io.containerd.runtime.v2.task" / NAMESPACE / container
        task = Ttrpc((bundle / "address").read_text().strip())
        spec = json.dumps({"args": ["true"], "cwd": "/", "env": ["PATH=/bin"], "user": {"uid": 0, "gid": 0}})
        both = field(1, container) + field(2, self.id())

        def calls():
            task.call("Exec", both + field(7, field(1, "types.containerd.io/opencontainers/runtime-spec/1/Process") + field(2, spec)))
            task.call("Start", both)
            task.call("Wait", both)
            task.call("Delete", both)
        millis = self.timed(calls)
        task.socket.close()
        return millis

    def close(self):
        subprocess.run([str(JRUN), "engine", "stop"], capture_output=True)
        self.daemon.terminate()
        self.daemon.wait()
        for hierarchy in pathlib.Path("/sys/fs/cgroup").glob("*/" + NAMESPACE):
            for directory in sorted([d for d in hierarchy.rglob("*") if d.is_dir()], reverse=True) + [hierarchy]:
                directory.rmdir()


def line(case, own, other, unit, limit):
    ratio = own / other
    met = ratio >= -limit if limit < 0 else ratio <= limit
    print("| %s | %.2f %s | %.2f %s | %.2f | %s %.2f | %s |" % (
        case, own, unit, other, unit, ratio, "≥" if limit < 0 else "≤", abs(limit), "yes" if met else "**no**"), flush=True)


def in_turn(count, action):
    times = {shim: [] for shim in SHIMS}
    for _ in range(count):
        for shim in SHIMS:
            times[shim].append(action(shim))
    return [statistics.median(times[shim]) for shim in SHIMS]


def measure(bench):
    bench.run_true("runc")
    for _ in range(WARMUP):
        bench.run_true("jrun")
    print("| shim (median of %d) | jrun | runc | ratio | goal | met |" % RUNS)
    print("| --- | ---: | ---: | ---: | --- | --- |")
    line("`ctr run --rm` of `/bin/true`", *in_turn(RUNS, bench.run_true), "ms", 0.6)
    line("Create, Start, Wait, Delete at the shim", *in_turn(RUNS, bench.api), "ms", 0.25)
    pods = {shim: bench.pod(shim) for shim in SHIMS}
    line("exec probe at the shim", *in_turn(RUNS, lambda shim: bench.probe(shim, pods[shim][1])), "ms", 0.25)
    bench.remove_all(pods.values())
    rates, shims = {}, {}
    total = 0
    for shim in SHIMS:
        started, rates[shim] = bench.pods_at_once(shim, PODS)
        shims[shim], engine = bench.memory(shim)
        total += engine
        bench.remove_all(started)
    line("pods per second, %d at once" % PODS, rates["jrun"], rates["runc"], "/s", -3)
    each = {shim: shims[shim] / PODS for shim in SHIMS}
    line("memory of a pod's shim (PSS)", each["jrun"], each["runc"], "KiB", 0.05)
    pods_until = total / (each["runc"] - each["jrun"])
    print("| all memory, engine of %.0f KiB included, is less from pod | %.1f | | | ≤ 6 | %s |" % (
        total, pods_until, "yes" if pods_until < 6 else "**no**"))


def main():
    if os.environ.get("BENCH_SHIM_INSIDE") != "1":
        os.environ["BENCH_SHIM_INSIDE"] = "1"
        os.execvp("unshare", ["unshare", "--net", "--", sys.executable] + sys.argv)
    for tool in ("containerd", "ctr", "runc"):
        if not shutil.which(tool):
            sys.exit("bench: no %s: install containerd and runc" % tool)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    directory = pathlib.Path(tempfile.mkdtemp(prefix="bench-shim-"))
    bench = Bench(directory)
    try:
        measure(bench)
    finally:
        bench.close()
        shutil.rmtree(directory)


main()

#!/usr/bin/env python3
"""Measures io.containerd.jrun.v2 beside io.containerd.runc.v2 in one containerd; prints a table.

JRUN=build/install/bin/jrun   beside which containerd-shim-jrun-v2 lies
BENCH_RUNS=30                 runs of each, in turn
BENCH_PODS=50                 pods that start at once
BENCH_DIR=/dev/shm            where containerd's data is: on a disk both shims would wait for its database most of the time

All of it happens in a network namespace of its own, with a root, state and socket of its own. A pod is what the CRI plugin
makes of one for the shim: a sandbox container and a container that joins its namespaces, in one group. Pods are started through
containerd's own interface, since a hundred processes of ctr would take as much of the processors as all the rest.

One that is ended early (SIGINT, SIGTERM, SIGHUP) leaves nothing, and the next removes what one has left that was killed.
"""

import concurrent.futures
import fcntl
import hashlib
import io
import json
import os
import pathlib
import shutil
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tarfile
import time

from containerd_client import Containerd, field, fields

RUNS = int(os.environ.get("BENCH_RUNS", "30"))
PODS = int(os.environ.get("BENCH_PODS", "50"))
WARMUP = int(os.environ.get("BENCH_WARMUP", "100"))  # a resident engine is warm in its daily life
ROUNDS = 3  # of pods that start at once, of which the median counts
MOMENTS = (2, 25)  # seconds after the last pod was made, at which memory is measured: soon after, and at rest (decision 56)
REMOVERS = 8
MEASURED = (1, 6, PODS)
KERNEL_STACK = 16  # KiB
JRUN = pathlib.Path(os.environ.get("JRUN", "build/install/bin/jrun")).absolute()
SHIMS = {"jrun": "io.containerd.jrun.v2", "runc": "io.containerd.runc.v2"}
IMAGE = "bench/busybox:1"
NAMESPACE = "bench-%d" % os.getpid()  # and the name of the cgroups
PREFIX = "bench-shim-"  # of the directory, before the namespace


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
        status = fields(answer.get(1, [b""])[-1])
        if status.get(1):
            sys.exit("bench: %s: %s" % (method, status.get(2, [b""])[-1].decode()))
        return fields(answer.get(2, [b""])[-1])

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
        self.daemon = subprocess.Popen(["containerd", "--config", directory / "config.toml"], env=env, start_new_session=True,
                                       stdin=subprocess.DEVNULL, stdout=open(directory / "log", "w"), stderr=subprocess.STDOUT)

    def begin(self):
        while subprocess.run(self.ctr("version"), capture_output=True).returncode:
            if self.daemon.poll() is not None:
                sys.exit("bench: containerd does not start: " + (self.directory / "log").read_text())
            time.sleep(0.05)
        write_image(self.directory / "image.tar")
        subprocess.run(self.ctr("images", "import", self.directory / "image.tar"), check=True, stdout=subprocess.DEVNULL)

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
        try:
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
        finally:
            self.shim(shim, bundle, id, "-bundle", bundle, "delete")
            os.close(log)
        shutil.rmtree(bundle)
        return millis

    # Pods

    def learn(self):
        """What ctr makes of the image for a container, for those that are made without it."""
        id = self.id()
        self.run("run", "--detach", "--null-io", "--runtime", SHIMS["runc"], IMAGE, id, "sleep", "100000")
        self.spec = json.loads(self.run("containers", "info", id))["Spec"]
        self.parent = next(words[1] for words in map(str.split, self.run("snapshots", "ls").splitlines()) if words[0] == id)
        self.remove(id)

    def start(self, client, shim, group, pid=0):
        id = self.id()
        spec = dict(self.spec, annotations={"io.kubernetes.cri.sandbox-id": group or id})
        spec["linux"] = dict(spec["linux"], cgroupsPath="/%s/%s" % (NAMESPACE, id))
        if pid:
            shared = {"network": "net", "ipc": "ipc", "uts": "uts"}
            spec["linux"]["namespaces"] = [
                dict(n, path="/proc/%d/ns/%s" % (pid, shared[n["type"]])) if n["type"] in shared else n
                for n in spec["linux"]["namespaces"]]
        spec = field(1, "types.containerd.io/opencontainers/runtime-spec/1/Spec") + field(2, json.dumps(spec))
        # the container first, since a snapshot that nothing refers to may be collected
        client.call("containers.v1.Containers", "Create", field(1, field(1, id) + field(3, IMAGE) + field(4, field(1, SHIMS[shim]))
                    + field(5, spec) + field(6, "overlayfs") + field(7, id)))
        mounts = client.call("snapshots.v1.Snapshots", "Prepare", field(1, "overlayfs") + field(2, id) + field(3, self.parent))[1]
        task = client.call("tasks.v1.Tasks", "Create", field(1, id) + b"".join(field(3, mount) for mount in mounts))
        client.call("tasks.v1.Tasks", "Start", field(1, id))
        return id, task[2][0]

    def pod(self, shim, client):
        sandbox, pid = self.start(client, shim, "")
        container, _ = self.start(client, shim, sandbox, pid)
        return sandbox, container

    def remove(self, *ids):
        for id in ids:
            self.run("tasks", "delete", "--force", id)
        self.run("containers", "delete", *ids)

    def pods_at_once(self, shim, count):
        """The pods, how long it took, and what of the processors, in seconds."""
        clients = [Containerd(self.socket, NAMESPACE) for _ in range(count)]
        before = self.processor_seconds(shim)
        with concurrent.futures.ThreadPoolExecutor(count) as threads:
            start = time.perf_counter()
            pods = list(threads.map(lambda client: self.pod(shim, client), clients))
            seconds = time.perf_counter() - start
        used = self.processor_seconds(shim) - before
        for client in clients:
            client.close()
        return pods, seconds, used

    def remove_all(self, pods):
        with concurrent.futures.ThreadPoolExecutor(REMOVERS) as threads:
            list(threads.map(lambda pod: self.remove(*reversed(pod)), pods))

    @staticmethod
    def processes(word):
        """Those of this network namespace that have this in their command line."""
        own = os.readlink("/proc/self/ns/net")
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if os.readlink(process / "ns/net") == own and word in (process / "cmdline").read_bytes():
                    yield process
            except OSError:
                pass

    def of_shim(self, shim):
        shims = list(self.processes(b"containerd-shim-%s-v2" % shim.encode()))
        return shims, list(self.processes(b"io.jrun.runtime.engine.Main")) if shim == "jrun" else []

    def processor_seconds(self, shim):
        """Of containerd, shims and engine, with the children that they have waited for."""
        shims, engine = self.of_shim(shim)
        ticks = 0
        for process in [pathlib.Path("/proc/%d" % self.daemon.pid), *shims, *engine]:
            ticks += sum(map(int, (process / "stat").read_text().rsplit(")", 1)[1].split()[11:15]))
        return ticks / os.sysconf("SC_CLK_TCK")

    @staticmethod
    def memory(processes):
        """KiB: resident, proportional, anonymous, and what the kernel has for them: page tables and stacks."""
        sums = dict.fromkeys(("Rss", "Pss", "Anonymous", "kernel"), 0)
        for process in processes:
            for line in (process / "smaps_rollup").read_text().splitlines()[1:]:
                name, value = line.split()[:2]
                if name[:-1] in sums:
                    sums[name[:-1]] += int(value)
            status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
            sums["kernel"] += int(status["VmPTE"].split()[0]) + KERNEL_STACK * int(status["Threads"])
        return sums

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
        tasks = subprocess.run(self.ctr("tasks", "ls", "-q"), capture_output=True).stdout.decode().split()
        for id in tasks:
            subprocess.run(self.ctr("tasks", "delete", "--force", id), capture_output=True)
        subprocess.run([str(JRUN), "engine", "stop"], capture_output=True)
        self.daemon.terminate()
        self.daemon.wait()
        clear(self.directory, NAMESPACE)


# What is left in the end

def processes_of(directory, namespace):
    """Shims, containerd, and the containers by their cgroups."""
    for file in pathlib.Path("/sys/fs/cgroup").glob("*/%s/**/cgroup.procs" % namespace):
        yield from map(int, file.read_text().split())
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if namespace.encode() in words or str(directory / "config.toml").encode() in words:
            yield int(process.name)


def clear(directory, namespace):
    for _ in range(100):
        left = set(processes_of(directory, namespace))
        if not left:
            break
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.05)
    mounted = [line.split()[4] for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines()]
    for path in reversed(mounted):
        if path.startswith("%s/" % directory):
            subprocess.run(["umount", path], check=True)
    for hierarchy in pathlib.Path("/sys/fs/cgroup").glob("*/" + namespace):
        for path, _, _ in os.walk(hierarchy, topdown=False):
            os.rmdir(path)
    for runtime in SHIMS:
        shutil.rmtree(pathlib.Path("/run/containerd") / runtime / namespace, ignore_errors=True)
    shutil.rmtree(directory)


def locked(directory):
    """Whether nobody else has it: a bench holds the lock of its directory until it ends, however it ends."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except BlockingIOError:
        os.close(descriptor)
        return False


def clear_after_others(parent):
    for directory in parent.glob(PREFIX + "*"):
        if locked(directory):
            clear(directory, directory.name[len(PREFIX):])


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
    bench.learn()
    for _ in range(WARMUP):
        bench.run_true("jrun")
    print("| shim (median of %d) | jrun | runc | ratio | goal | met |" % RUNS)
    print("| --- | ---: | ---: | ---: | --- | --- |")
    line("`ctr run --rm` of `/bin/true`", *in_turn(RUNS, bench.run_true), "ms", 0.6)
    line("Create, Start, Wait, Delete at the shim", *in_turn(RUNS, bench.api), "ms", 0.25)
    client = Containerd(bench.socket, NAMESPACE)
    pods = {shim: bench.pod(shim, client) for shim in SHIMS}
    line("exec probe at the shim", *in_turn(RUNS, lambda shim: bench.probe(shim, pods[shim][1])), "ms", 0.25)
    bench.remove_all(pods.values())
    measure_pods(bench)
    measure_memory(bench, client)


def measure_pods(bench):
    rates, used = ({shim: [] for shim in SHIMS} for _ in range(2))
    for _ in range(ROUNDS):
        for shim in SHIMS:
            pods, seconds, processor = bench.pods_at_once(shim, PODS)
            rates[shim].append(PODS / seconds)
            used[shim].append(processor / PODS * 1000)
            bench.remove_all(pods)
    line("pods per second, %d at once" % PODS, *[statistics.median(rates[shim]) for shim in SHIMS], "/s", -3)
    line("processor time of such a pod, containerd's included", *[statistics.median(used[shim]) for shim in SHIMS], "ms", 1 / 3)


def measure_memory(bench, client):
    """By shim and moment, for each number of pods."""
    shims, all = ({(shim, moment): [] for shim in SHIMS for moment in MOMENTS} for _ in range(2))
    for shim in SHIMS:
        pods = []
        for count in MEASURED:
            pods += [bench.pod(shim, client) for _ in range(count - len(pods))]
            made = time.monotonic()
            for moment in MOMENTS:
                time.sleep(max(0, made + moment - time.monotonic()))
                own, engine = map(bench.memory, bench.of_shim(shim))
                shims[shim, moment].append(own)
                all[shim, moment].append({kind: own[kind] + engine[kind] for kind in own})
        bench.remove_all(pods)
    for found in all.values():
        for sums in found:
            sums["Anonymous + kernel"] = sums["Anonymous"] + sums["kernel"]
    line("memory of a pod's shim (Pss)", *[shims[shim, MOMENTS[-1]][-1]["Pss"] / PODS for shim in SHIMS], "KiB", 0.05)
    for moment in MOMENTS:
        for kind in ("Pss", "Anonymous", "Anonymous + kernel", "Rss"):
            pod = less_from([(count, all["jrun", moment][i][kind] - all["runc", moment][i][kind]) for i, count in enumerate(MEASURED)])
            print("| all memory (%s) %d s after the last pod, engine included, is less from pod | %s | | | ≤ 6 | %s |" % (
                kind, moment, "%.1f" % pod if pod else "-", "yes" if pod and pod <= 6 else "**no**"))
    print("\n| MiB of all shims, with the engine | s | pods | Rss | Pss | Anonymous | kernel |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for shim in SHIMS:
        for moment in MOMENTS:
            for i, count in enumerate(MEASURED):
                print("| %s | %d | %d | %s |" % (shim, moment, count, " | ".join(
                    "%.1f" % (all[shim, moment][i][kind] / 1024) for kind in ("Rss", "Pss", "Anonymous", "kernel"))))


def less_from(differences):
    """Where a line through the two measured points around it crosses zero; None if it does not."""
    if differences[0][1] <= 0:
        return differences[0][0]
    for (a, before), (b, after) in zip(differences, differences[1:]):
        if before > 0 >= after:
            return a + (b - a) * before / (before - after)
    return None


def main():
    if os.environ.get("BENCH_SHIM_INSIDE") != "1":
        os.environ["BENCH_SHIM_INSIDE"] = "1"
        os.execvp("unshare", ["unshare", "--net", "--", sys.executable] + sys.argv)
    for tool in ("containerd", "ctr", "runc"):
        if not shutil.which(tool):
            sys.exit("bench: no %s: install containerd and runc" % tool)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, frame: sys.exit(128 + number))
    parent = pathlib.Path(os.environ.get("BENCH_DIR", "/dev/shm"))
    clear_after_others(parent)
    directory = parent / (PREFIX + NAMESPACE)
    directory.mkdir()
    locked(directory)
    bench = Bench(directory)
    try:
        bench.begin()
        measure(bench)
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        bench.close()


main()

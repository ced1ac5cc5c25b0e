#!/usr/bin/env python3
"""Measures simplecni beside the reference bridge with host-local, both with ipMasq; prints a table.

JRUN=build/install/bin/jrun   beside which simplecni lies
BENCH_RUNS=30                 runs of the reference; simplecni has as many after a warm-up
BENCH_PAIRS=200               runs of a container with a network and without, in turns
BENCH_DIR=/dev/shm            where state and leases are: as in /run, which is a tmpfs nearly everywhere
All of it happens in a network namespace of its own.
"""

import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

RUNS = int(os.environ.get("BENCH_RUNS", "30"))
WARMUP = int(os.environ.get("BENCH_WARMUP", "200"))  # a resident engine is warm in its daily life
ROW = 200
PAIRS = int(os.environ.get("BENCH_PAIRS", "200"))
BUSYBOX = "/bin/busybox"
JRUN = pathlib.Path(os.environ.get("JRUN", "build/install/bin/jrun")).absolute()
PATHS = [str(JRUN.parent), "/usr/lib/cni", "/opt/cni/bin"]


def configuration(type, directory):
    ipam = {"subnet": "10.66.0.0/16" if type == "simplecni" else "10.67.0.0/16", "dataDir": directory}
    if type != "simplecni":
        ipam["type"] = "host-local"
    return json.dumps({"cniVersion": "0.4.0", "name": "bench-" + type, "type": type, "bridge": "b-" + type, "isGateway": True,
                       "isDefaultGateway": True, "ipMasq": True, "ipam": ipam})


class Plugin:
    def __init__(self, type, directory):
        self.executable = shutil.which(type, path=":".join(PATHS))
        self.file = pathlib.Path(directory) / (type + ".json")
        self.file.write_text(configuration(type, directory + "/" + type))

    def call(self, verb, number, netns="bench"):
        env = {"PATH": os.environ["PATH"], "CNI_COMMAND": verb, "CNI_CONTAINERID": "bench%d" % number,
               "CNI_NETNS": "/run/netns/%s-%d" % (netns, os.getpid()), "CNI_IFNAME": "eth0", "CNI_PATH": ":".join(PATHS)}
        with open(self.file) as stdin:
            start = time.perf_counter()
            process = subprocess.run([self.executable], stdin=stdin, env=env, capture_output=True)
            millis = (time.perf_counter() - start) * 1000
        if process.returncode:
            sys.exit("bench: %s %s: %s%s" % (self.executable, verb, process.stdout.decode(), process.stderr.decode()))
        return millis

    def cycles(self, count):
        adds, deletes = [], []
        for number in range(count):
            adds.append(self.call("ADD", number))
            deletes.append(self.call("DEL", number))
        return adds, deletes


def netns(verb, name):
    subprocess.run(["ip", "netns", verb, "%s-%d" % (name, os.getpid())], check=True)


def in_a_row(plugin):
    """The medians of the first and the last of many ADDs, nothing deleted in between."""
    for number in range(ROW):
        netns("add", "row%d" % number)
    try:
        times = [plugin.call("ADD", number, "row%d" % number) for number in range(ROW)]
        for number in range(ROW):
            plugin.call("DEL", number, "row%d" % number)
    finally:
        for number in range(ROW):
            netns("del", "row%d" % number)
    return statistics.median(times[:50]), statistics.median(times[-50:])


class Container:
    """A bundle that runs busybox true, with an own network namespace in either case."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.bundle = self.directory / "bundle"
        (self.bundle / "rootfs" / "bin").mkdir(parents=True)
        for name in ("dev", "etc", "proc", "sys"):
            (self.bundle / "rootfs" / name).mkdir()
        shutil.copy(BUSYBOX, self.bundle / "rootfs" / "bin" / "true")
        (self.directory / "net.d").mkdir()
        (self.directory / "ipam.config").write_text(
            '{"Subnet":"10.244.1.0","SubnetPrefix":"10.244.1.","Gateway":"10.244.1.1","IPIndex":"1"}')
        (self.directory / "net.d" / "10-simplecni.conf").write_text(json.dumps(
            {"cniVersion": "0.3.0", "name": "simplecni", "type": "simplecni", "bridge": "simplecni0", "subnet": "10.244.0.0/16",
             "nodeFile": str(self.directory / "ipam.config"), "dataDir": directory + "/run"}))
        (self.directory / "net.d" / "20-bench.conf").write_text(configuration("simplecni", directory + "/run"))
        subprocess.run([str(JRUN), "spec", "--bundle", str(self.bundle)], check=True)
        config = json.loads((self.bundle / "config.json").read_text())
        config["process"].update(terminal=False, args=["/bin/true"])
        (self.bundle / "config.json").write_text(json.dumps(config))

    def run(self, *flags):
        env = dict(os.environ, NETCONFPATH=str(self.directory / "net.d"), CNI_PATH=":".join(PATHS))
        words = [str(JRUN), "--root", str(self.directory / "state"), "run", *flags, "--bundle", str(self.bundle), "bench-%d" % os.getpid()]
        start = time.perf_counter()
        process = subprocess.run(words, env=env, stdin=subprocess.DEVNULL, capture_output=True)
        millis = (time.perf_counter() - start) * 1000
        if process.returncode:
            sys.exit("bench: %s: %s" % (words, process.stderr.decode()))
        return millis

    def pairs(self, network, count):
        """The times of runs in turns, with a network and with none."""
        wired, plain = [], []
        for _ in range(count):
            wired.append(self.run("--network", network))
            plain.append(self.run())
        return wired, plain


def line(case, own, other, limit):
    ratio = own / other
    print("| %s | %.2f ms | %.2f ms | %.2f | ≤ %.2f | %s |" % (case, own, other, ratio, limit, "yes" if ratio <= limit else "**no**"))


def main():
    if os.environ.get("BENCH_CNI_INSIDE") != "1":
        os.environ["BENCH_CNI_INSIDE"] = "1"
        os.execvp("unshare", ["unshare", "--net", "--", sys.executable] + sys.argv)
    if not shutil.which("bridge", path=":".join(PATHS)):
        sys.exit("bench: no reference bridge: install containernetworking-plugins")
    directory = tempfile.mkdtemp(prefix="bench-cni-", dir=os.environ.get("BENCH_DIR", "/dev/shm"))
    netns("add", "bench")
    try:
        # first: once something masquerades, the kernel looks for its connections whenever an interface goes (decision 93)
        container = Container(directory)
        container.pairs("simplecni", WARMUP)
        wired, plain = (statistics.median(times) for times in container.pairs("simplecni", PAIRS))
        container.pairs("bench-simplecni", WARMUP)
        masqueraded, plain_then = (statistics.median(times) for times in container.pairs("bench-simplecni", PAIRS))
        own, other = Plugin("simplecni", directory), Plugin("bridge", directory)
        own.cycles(WARMUP)
        other.cycles(3)
        adds, deletes = own.cycles(RUNS)
        other_adds, other_deletes = other.cycles(RUNS)
        print("| CNI (median of %d) | simplecni | bridge, host-local | ratio | goal | met |" % RUNS)
        print("| --- | ---: | ---: | ---: | --- | --- |")
        line("ADD with ipMasq", statistics.median(adds), statistics.median(other_adds), 0.12)
        line("DEL with ipMasq", statistics.median(deletes), statistics.median(other_deletes), 0.25)
        line("`run --network simplecni` beside `run` with an empty network", wired, plain, 1.3)
        line("the same, with ipMasq", masqueraded, plain_then, 1.3)
        first, last = in_a_row(own)
        print("| %d ADDs in a row: the last 50 beside the first | %.2f ms | %.2f ms | %.2f | ≤ 1.30 | %s |"
              % (ROW, last, first, last / first, "yes" if last <= 1.3 * first else "**no**"))
    finally:
        netns("del", "bench")
        shutil.rmtree(directory)
        subprocess.run([str(JRUN), "engine", "stop"], capture_output=True)


main()

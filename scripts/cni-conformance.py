#!/usr/bin/env python3
"""Drives one CNI plugin as a runtime does and tells what of the specification it keeps.

usage: cni-conformance.py --plugin NAME --path DIR[:DIR...] --config FILE [--cycles N] [--only WORD]

FILE is the plugin's configuration; in it @DIR@ stands for a temporary directory, @SUBNET@ for the
subnet of the case. All of it happens in a network namespace of its own, so the machine's network
stays as it is. Prints a line for each case; the status is 1 when one failed.
"""

import argparse
import concurrent.futures
import ipaddress
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

INSIDE = "CNI_CONFORMANCE_INSIDE"


def run(*words, check=True, stdin=""):
    process = subprocess.run(words, input=stdin, capture_output=True, text=True)
    if check and process.returncode:
        raise RuntimeError("%s: exit %d: %s%s" % (" ".join(words), process.returncode, process.stdout, process.stderr))
    return process.stdout


class Answer:
    def __init__(self, process):
        self.status, self.out, self.err = process.returncode, process.stdout, process.stderr

    def ok(self):
        assert self.status == 0, "status %d: %s %s" % (self.status, self.out.strip(), self.err.strip())
        return self

    def result(self):
        return json.loads(self.ok().out)

    def error(self, *codes):
        """It failed, with an error document; codes: which are right (none given: any)."""
        assert self.status != 0, "succeeded: %s" % self.out
        document = json.loads(self.out)
        assert isinstance(document.get("code"), int) and document.get("msg"), "no error document: %s" % self.out
        assert not codes or document["code"] in codes, "code %s, not %s: %s" % (document["code"], codes, document["msg"])
        return document


class Plugin:
    """A plugin with its configuration in a directory of the case."""

    def __init__(self, options, directory, subnet="10.91.0.0/16"):
        self.options, self.directory = options, directory
        text = pathlib.Path(options.config).read_text()
        self.config = json.loads(text.replace("@DIR@", str(directory)).replace("@SUBNET@", subnet))

    def call(self, verb, id="c1", netns="", ifname="eth0", config=None, env=None, stdin=None, drop=()):
        variables = {"PATH": os.environ["PATH"], "CNI_COMMAND": verb, "CNI_CONTAINERID": id, "CNI_NETNS": netns,
                     "CNI_IFNAME": ifname, "CNI_PATH": self.options.path}
        variables.update(env or {})
        for name in drop:
            variables.pop(name, None)
        document = dict(self.config)
        document.update(config or {})
        text = json.dumps(document) if stdin is None else stdin
        return Answer(subprocess.run([self.options.executable], input=text, env=variables, capture_output=True, text=True))

    def versions(self):
        """What it supports, and the plugin too that it gets addresses of."""
        versions = self.call("VERSION").result()["supportedVersions"]
        ipam = shutil.which(self.config.get("ipam", {}).get("type", ""), path=self.options.path)
        if ipam:
            process = subprocess.run([ipam], input="{}", env={"CNI_COMMAND": "VERSION"}, capture_output=True, text=True)
            versions = [v for v in versions if v in Answer(process).result()["supportedVersions"]]
        return versions


class Namespace:
    serial = 0

    def __init__(self):
        Namespace.serial += 1
        self.name = "cnic-%d-%d" % (os.getpid(), Namespace.serial)
        self.path = "/run/netns/" + self.name
        run("ip", "netns", "add", self.name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if os.path.exists(self.path):
            self.remove()

    def remove(self):
        run("ip", "netns", "del", self.name)

    def command(self, *words, check=True):
        return run("nsenter", "--net=" + self.path, "--", *words, check=check)

    def addresses(self, ifname="eth0"):
        listed = json.loads(self.command("ip", "-json", "addr", "show", check=False) or "[]")
        return ["%s/%d" % (a["local"], a["prefixlen"]) for link in listed if link.get("ifname") == ifname
                for a in link["addr_info"] if a["scope"] == "global"]

    def has(self, ifname="eth0"):
        return ifname in [link.get("ifname") for link in json.loads(self.command("ip", "-json", "link"))]


def is_at_least(version, other):
    return [int(n) for n in version.split(".")] >= [int(n) for n in other.split(".")]


def address_of(result):
    if "ips" in result:
        return result["ips"][0]["address"]
    return result["ip4"]["ip"]


def descriptors(plugin):
    """How many a process that stays behind holds: SimpleCNI's engine in this namespace; none of other plugins."""
    jrun = pathlib.Path(plugin.options.executable).resolve().parent / "jrun"
    if not jrun.exists():
        return 0
    run(str(jrun), "--version")  # starts one where none runs
    status = json.loads(run(str(jrun), "engine", "status", "--format", "json"))
    return len(os.listdir("/proc/%d/fd" % status["pid"]))


def state(plugin):
    """Everything that an attachment may leave; counters, handles and time are not of it."""
    rules = run("nft", "list", "ruleset", check=False) + run("iptables-save", "-t", "nat", check=False)
    leases = []
    for path in sorted(plugin.directory.rglob("*")):
        if path.is_file() and re.fullmatch(r"[0-9a-f.:]+", path.name):
            leases.append(path.name)
        if path.name == "leases":
            held = {}
            for line in path.read_text().splitlines():
                words = line.split(" ")
                held[words[1]] = words[0]
            leases += [address for address, sign in held.items() if sign == "+"]
    return {
        "descriptors": descriptors(plugin),
        "links": sorted(l["ifname"] for l in json.loads(run("ip", "-json", "link"))),
        "addresses": sorted(a.get("local", "") for l in json.loads(run("ip", "-json", "addr")) for a in l.get("addr_info", ())
                            if a.get("scope") == "global"),
        "routes": sorted(r["dst"] + r.get("gateway", "") for r in json.loads(run("ip", "-json", "route"))),
        "rules": [l for l in re.sub(r"counter packets \d+ bytes \d+|\[\d+:\d+\]", "", rules).splitlines()
                  if not l.startswith("#")],
        "leases": leases,
    }


# ---- the cases; each gets the plugin, whose directory and bridge are new ----


def version_lists_what_is_supported(plugin):
    answer = plugin.call("VERSION", drop=("CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_PATH"))
    assert "0.4.0" in answer.result()["supportedVersions"]
    assert answer.result()["cniVersion"]


def add_wires_and_del_unwires_in_every_version(plugin):
    for version in plugin.versions():
        with Namespace() as ns:
            config = {"cniVersion": version}
            result = plugin.call("ADD", netns=ns.path, config=config).result()
            assert result["cniVersion"] == version, result
            address = address_of(result)
            assert address in ns.addresses(), "%s is not among %s" % (address, ns.addresses())
            if is_at_least(version, "0.3.0"):
                inside = [i for i in result["interfaces"] if i.get("sandbox") == ns.path]
                assert [i["name"] for i in inside] == ["eth0"], result["interfaces"]
                assert result["interfaces"][result["ips"][0]["interface"]]["name"] == "eth0", result
                assert ("version" in result["ips"][0]) == (not is_at_least(version, "1.0.0")), result
            assert "default" in ns.command("ip", "route"), ns.command("ip", "route")
            previous = {} if not is_at_least(version, "0.4.0") else {"prevResult": result}
            plugin.call("DEL", netns=ns.path, config={**config, **previous}).ok()
            assert not ns.has()


def containers_reach_each_other_and_their_gateway(plugin):
    with Namespace() as one, Namespace() as two:
        first = plugin.call("ADD", id="c1", netns=one.path).result()
        second = plugin.call("ADD", id="c2", netns=two.path).result()
        for target in (address_of(second).split("/")[0], first["ips"][0]["gateway"]):
            one.command("ping", "-c", "1", "-W", "2", target)
        for id, ns, result in (("c1", one, first), ("c2", two, second)):
            plugin.call("DEL", id=id, netns=ns.path, config={"prevResult": result}).ok()


def check_passes_and_tells_what_is_missing(plugin):
    damages = (
        lambda ns, r: ns.command("ip", "addr", "del", address_of(r), "dev", "eth0"),
        lambda ns, r: ns.command("ip", "route", "del", "default"),
        lambda ns, r: ns.command("ip", "link", "del", "eth0"),
    )
    for number, damage in enumerate(damages):
        with Namespace() as ns:
            id = "check%d" % number
            result = plugin.call("ADD", id=id, netns=ns.path).result()
            config = {"prevResult": result}
            plugin.call("CHECK", id=id, netns=ns.path, config=config).ok()
            damage(ns, result)
            plugin.call("CHECK", id=id, netns=ns.path, config=config).error()
            plugin.call("DEL", id=id, netns=ns.path, config=config).ok()


def del_can_be_repeated(plugin):
    with Namespace() as ns:
        result = plugin.call("ADD", netns=ns.path).result()
        for _ in range(3):
            plugin.call("DEL", netns=ns.path, config={"prevResult": result}).ok()
        plugin.call("DEL", id="never-added", netns=ns.path).ok()


def del_works_when_the_namespace_is_gone(plugin):
    ns = Namespace()
    result = plugin.call("ADD", netns=ns.path).result()
    ns.remove()
    plugin.call("DEL", netns="", config={"prevResult": result}).ok()
    assert not state(plugin)["leases"], state(plugin)["leases"]
    with Namespace() as again:
        result = plugin.call("ADD", id="c2", netns=again.path).result()
        plugin.call("DEL", id="c2", drop=("CNI_NETNS",), config={"prevResult": result}).ok()


def wrong_calls_have_the_codes_of_the_specification(plugin):
    with Namespace() as ns:
        add = dict(verb="ADD", netns=ns.path)
        for name in ("CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_PATH"):
            error = plugin.call(**add, drop=(name,)).error(4)
            assert name in error["msg"] + error.get("details", ""), error
        plugin.call("FOO", netns=ns.path).error(4)
        plugin.call(**add, id="../x").error(4)
        for ifname in ("name-of-16-chars", "a/b", "a:b", "."):
            plugin.call(**add, ifname=ifname).error(4)
        for stdin in ("", "{", "hello"):
            plugin.call(**add, stdin=stdin).error(6)
        plugin.call(**add, config={"cniVersion": "9.9.9"}).error(1)
        plugin.call(**add, config={"name": ""}).error(7)
        plugin.call(**add, config={"name": "a/b"}).error(7)
        plugin.call("CHECK", netns=ns.path, config={"cniVersion": "0.3.1"}).error(1)
        plugin.call("ADD", netns="/run/netns/there-is-no-such").error()
        plugin.call("ADD", netns="/etc/hostname").error()
        assert not ns.has()


def malformed_input_is_an_error_and_leaves_nothing(plugin):
    """Whatever has the wrong kind or shape is refused with an error document, before anything is made."""
    before = state(plugin)
    with Namespace() as ns:
        add = dict(verb="ADD", netns=ns.path)
        for stdin in ("[]", "null", "1", "\"text\"", "{\"cniVersion\":", "{} {}", "\0", "{\"name\":\"\xff"):
            plugin.call(**add, stdin=stdin).error(6, 7, 4, 1)
        for member, values in (("cniVersion", (1, {}, "1.x", "-1.0.0")), ("name", (1, [], None, "-x", "x y")), ("bridge", (1, {})),
                               ("mtu", ("big", {})), ("ipam", ("text", 1, [])), ("prevResult", ("text",)), ("vlan", (5000, -2, "x"))):
            for value in values:
                plugin.call(**add, config={member: value}).error(6, 7, 1, 4, 2, 999)
        for env in ({"CNI_COMMAND": "add"}, {"CNI_COMMAND": " ADD"}, {"CNI_CONTAINERID": "-"}, {"CNI_IFNAME": ".."}, {"CNI_IFNAME": "a b"}):
            plugin.call(**add, env=env).error(4)
        plugin.call("CHECK", netns=ns.path).error()
        assert not ns.has()
    after = state(plugin)
    for one in (before, after):
        one["links"] = [name for name in one["links"] if name != plugin.config["bridge"]]
    for what in ("links", "leases", "rules"):
        assert before[what] == after[what], "%s: %s became %s" % (what, before[what], after[what])


def a_second_add_of_the_same_interface_fails_and_changes_nothing(plugin):
    with Namespace() as ns:
        result = plugin.call("ADD", netns=ns.path).result()
        plugin.call("ADD", netns=ns.path).error()
        assert ns.addresses() == [address_of(result)], ns.addresses()
        plugin.call("DEL", netns=ns.path, config={"prevResult": result}).ok()
        assert not state(plugin)["leases"]


def interfaces_of_one_container_are_told_apart(plugin):
    with Namespace() as ns:
        results = {name: plugin.call("ADD", netns=ns.path, ifname=name, config={"isDefaultGateway": False}).result()
                   for name in ("eth0", "net1")}
        plugin.call("DEL", netns=ns.path, ifname="eth0", config={"prevResult": results["eth0"]}).ok()
        assert ns.has("net1") and not ns.has("eth0")
        assert state(plugin)["leases"] == [address_of(results["net1"]).split("/")[0]]
        plugin.call("DEL", netns=ns.path, ifname="net1", config={"prevResult": results["net1"]}).ok()


def fifty_concurrent_adds_get_fifty_addresses(plugin):
    spaces = [Namespace() for _ in range(50)]
    try:
        def add(number):
            return plugin.call("ADD", id="c%d" % number, netns=spaces[number].path)

        with concurrent.futures.ThreadPoolExecutor(50) as pool:
            answers = [answer.result() for answer in pool.map(add, range(50))]
        assert len({address_of(answer) for answer in answers}) == 50

        def delete(number):
            return plugin.call("DEL", id="c%d" % number, netns=spaces[number].path, config={"prevResult": answers[number]})

        with concurrent.futures.ThreadPoolExecutor(50) as pool:
            for answer in pool.map(delete, range(50)):
                answer.ok()
        assert not state(plugin)["leases"], state(plugin)["leases"]
    finally:
        for ns in spaces:
            ns.remove()


def exhaustion_is_an_error_and_ends_with_a_del(plugin):
    subnet = "10.92.0.0/29"
    small = Plugin(plugin.options, plugin.directory / "small", subnet)
    small.config["bridge"] = plugin.config["bridge"]
    spaces = [Namespace() for _ in range(6)]
    try:
        results = [small.call("ADD", id="c%d" % n, netns=spaces[n].path).result() for n in range(5)]
        given = {ipaddress.ip_interface(address_of(result)).ip for result in results}
        assert given == set(ipaddress.ip_network(subnet).hosts()) - {ipaddress.ip_address("10.92.0.1")}, given
        small.call("ADD", id="c5", netns=spaces[5].path).error()
        small.call("DEL", id="c5", netns=spaces[5].path).ok()
        assert not spaces[5].has()
        small.call("DEL", id="c2", netns=spaces[2].path, config={"prevResult": results[2]}).ok()
        result = small.call("ADD", id="c5", netns=spaces[5].path).result()
        assert address_of(result) == address_of(results[2])
        for number in (0, 1, 3, 4, 5):
            small.call("DEL", id="c%d" % number, netns=spaces[number].path,
                       config={"prevResult": result if number == 5 else results[number]}).ok()
    finally:
        for ns in spaces:
            ns.remove()


def nothing_is_left_after_many_cycles(plugin):
    with Namespace() as ns:
        before = None
        for number in range(plugin.options.cycles):
            id = "cycle%d" % number
            result = plugin.call("ADD", id=id, netns=ns.path).result()
            plugin.call("DEL", id=id, netns=ns.path, config={"prevResult": result}).ok()
            if before is None:  # the bridge and its address stay, so the first cycle is no measure
                before = state(plugin)
        after = state(plugin)
        # a thread that still waits for the kernel to free a link has a socket open for a moment
        end = time.monotonic() + 20
        while after["descriptors"] > before["descriptors"] + 2 and time.monotonic() < end:
            time.sleep(0.1)
            after["descriptors"] = descriptors(plugin)
        assert after["descriptors"] <= before["descriptors"] + 2, "%d descriptors became %d" % (
            before["descriptors"], after["descriptors"])
        for what in [name for name in before if name != "descriptors"]:
            assert before[what] == after[what], "%s: %s became %s" % (what, before[what], after[what])
        assert not after["leases"]
        assert not ns.has()


def status_and_gc_keep_what_is_valid(plugin):
    if "1.1.0" not in plugin.versions():
        return "1.1.0 is not supported"
    config = {"cniVersion": "1.1.0"}
    for verb in ("GC", "STATUS"):
        plugin.call(verb, config={"cniVersion": "1.0.0"}).error(1)
    none = ("CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME")
    plugin.call("STATUS", config=config, drop=none).ok()
    with Namespace() as one, Namespace() as two:
        kept = plugin.call("ADD", id="kept", netns=one.path, config=config).result()
        plugin.call("ADD", id="lost", netns=two.path, config=config).result()
        valid = [{"containerID": "kept", "ifname": "eth0"}]
        plugin.call("GC", config={**config, "cni.dev/valid-attachments": valid}, drop=none).ok()
        assert state(plugin)["leases"] == [address_of(kept).split("/")[0]], state(plugin)["leases"]
        assert one.has() and not two.has()
        plugin.call("CHECK", id="kept", netns=one.path, config={**config, "prevResult": kept}).ok()
        plugin.call("DEL", id="kept", netns=one.path, config={**config, "prevResult": kept}).ok()


CASES = [value for name, value in list(globals().items())
         if callable(value) and getattr(value, "__code__", None) and value.__code__.co_varnames[:1] == ("plugin",)
         and value.__code__.co_argcount == 1 and name not in ("state", "descriptors")]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--plugin", required=True)
    parser.add_argument("--path", required=True)
    parser.add_argument("--config", required=True)
    parser.add_argument("--cycles", type=int, default=20)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    if os.environ.get(INSIDE) != "1":
        os.environ[INSIDE] = "1"
        os.execvp("unshare", ["unshare", "--net", "--", sys.executable] + sys.argv)
    run("ip", "link", "set", "lo", "up")
    options.executable = shutil.which(options.plugin, path=options.path)
    if not options.executable:
        sys.exit("no plugin %s in %s" % (options.plugin, options.path))
    failed = 0
    try:
        for case in CASES:
            if options.only not in case.__name__:
                continue
            directory = pathlib.Path(tempfile.mkdtemp(prefix="cni-conformance-"))
            name = case.__name__.replace("_", " ")
            try:
                skipped = case(Plugin(options, directory))
                print("%s: %s%s" % ("skipped" if skipped else "passed", name, ": " + skipped if skipped else ""))
            except Exception as e:
                failed += 1
                why = str(e).strip() or traceback.format_exc().strip().splitlines()[-2].strip()
                print("FAILED: %s: %s" % (name, why))
            finally:
                shutil.rmtree(directory)
            sys.stdout.flush()
    finally:
        # SimpleCNI's engine of this namespace has nothing to do afterwards
        jrun = pathlib.Path(options.executable).resolve().parent / "jrun"
        if jrun.exists():
            run(str(jrun), "engine", "stop", check=False)
    sys.exit(1 if failed else 0)


main()

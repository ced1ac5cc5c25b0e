#!/usr/bin/env python3
"""Prints what is kept of each class of the virtual machine's lane, and why tests were skipped. Arguments: the machine (v2-apparmor), a file with
MODULE/CLASS and the key of its sources in each line, and one with the classes that are left out and the reason. Exits with 1 unless all have passed, with
nothing skipped but what expected-skips names."""
import fnmatch, os, sys, xml.etree.ElementTree as tree

machine, wanted, left_out = sys.argv[1:]
kept = f"build/vm/results/{machine}"
here = os.path.dirname(sys.argv[0])
good = True


def lines(path):
    if not os.path.exists(path):
        return []
    return [line.rstrip("\n") for line in open(path) if line.strip() and not line.startswith("#")]


expected = [line.split(None, 2) for line in lines(f"{here}/expected-skips")]


def is_expected(test, reason):
    return any(fnmatch.fnmatch(machine, on) and fnmatch.fnmatch(test, which) and fnmatch.fnmatch(reason, why) for on, which, why in expected)


def reason(skipped):
    text = [line for line in (skipped.get("message") or skipped.text or "").strip().split("\n") if line]
    return text[0].removeprefix("parent was skipped: ").removeprefix("org.opentest4j.TestAbortedException: ").removeprefix("Assumption failed: ") if text else ""


def counts(directory):
    """(passed, failed, skips) of JUnit's report, where there is one."""
    report = f"{directory}/TEST-junit-jupiter.xml"
    if not os.path.exists(report):
        return 0, 0, []
    suite = tree.parse(report).getroot()
    skips = [(case.get("name"), reason(why)) for case in suite.iter("testcase") for why in case.iter("skipped")]
    failed = int(suite.get("failures")) + int(suite.get("errors"))
    return int(suite.get("tests")) - failed - len(skips), failed, skips


def row(name, state, passed="", failed="", skipped="", seconds="", commit=""):
    print(f"{name:42} {state:12} {passed:>6} {failed:>6} {skipped:>7} {seconds:>7}  {commit}".rstrip())


print(f"in the virtual machine {machine}:")
row("class", "", "passed", "failed", "skipped", "seconds", "commit")
reasons, totals, names = [], [0, 0, 0, 0], set()
for line in lines(wanted):
    entry, key = line.split()
    names.add(entry.replace("/", ":"))
    directory = f"{kept}/{entry.replace('/', ':')}"
    name = entry.split("/")[0] + "/" + entry.split("/")[1].split(".")[-1]
    if not os.path.exists(f"{directory}/verdict"):
        row(name, "NOT RUN")
        good = False
        continue
    code, seconds, of, commit = open(f"{directory}/verdict").read().split()
    passed, failed, skips = counts(directory)
    state = {"0": "passed", "124": "NO END", "137": "NO END", "machine": "MACHINE HUNG"}.get(code, "FAILED")
    if state == "passed" and passed + len(skips) == 0:
        state = "NO TESTS"
    if of != key:
        state = "OTHER TREE"
    good &= state == "passed"
    if state == "passed" and passed == 0:
        state = "skipped"
    row(name, state, passed, failed, len(skips), seconds, commit)
    totals = [a + b for a, b in zip(totals, (passed, failed, len(skips), int(seconds)))]
    for why in dict.fromkeys(why for _, why in skips):
        tests = [test for test, because in skips if because == why]
        fine = all(is_expected(name.split("/")[1] + "." + test, why) for test in tests)
        good &= fine
        which = f".{tests[0]}" if len(tests) == 1 else f": {len(tests)} tests"
        reasons.append(f"{'skipped' if fine else 'SKIPPED, which is not expected'}: {name}{which} - {why}")
row("all", "passed" if good else "NOT PASSED", *totals)
for line in reasons:
    print(line)
if os.path.exists(left_out):
    for line in lines(left_out):
        print("left out: {} - {}".format(*line.split(None, 1)))
    out = {line.split()[0] for line in lines(left_out)}
    for gone in sorted(set(os.listdir(kept)) - names):
        if "#" not in gone and gone.split(".")[-1] not in out:
            print(f"GONE: {gone} has run here, and is no class any more (if it should not be: rm -r {kept}/{gone})")
            good = False
sys.exit(0 if good else 1)

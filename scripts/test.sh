#!/usr/bin/env bash
# Everything: unit and kernel tests of the modules, then the end-to-end tests of the staged binary.
# Prints the counts; says what it skips and why.
set -uo pipefail
cd "$(dirname "$0")/.."
status=0
rm -rf */target/surefire-reports */target/failsafe-reports # what an earlier run said is not said again
mvn -B install -Dspotless.check.skip=true || status=1
count() {
  python3 - "$@" <<'P'
import glob, sys, xml.etree.ElementTree as tree
ran = failed = skipped = 0
for pattern in ("*/target/surefire-reports/TEST-*.xml", "*/target/failsafe-reports/TEST-*.xml"):
    for path in glob.glob(pattern):
        suite = tree.parse(path).getroot()
        ran += int(suite.get("tests")); skipped += int(suite.get("skipped"))
        failed += int(suite.get("failures")) + int(suite.get("errors"))
        for case in suite.iter("testcase"):
            for why in case.iter("skipped"):
                print("skipped:", case.get("classname").split(".")[-1] + "." + case.get("name"), "-", (why.get("message") or why.text or "").strip().split("\n")[0])
print(f"{ran - failed - skipped} passed, {failed} failed, {skipped} skipped")
P
}
count
exit $status

#!/usr/bin/env python3
"""Adds up JUnit's XML reports: what was skipped and why, then the counts. Arguments: a prefix of the last line, and patterns of files."""
import glob, sys, xml.etree.ElementTree as tree

ran = failed = skipped = 0
for pattern in sys.argv[2:]:
    for path in sorted(glob.glob(pattern)):
        suite = tree.parse(path).getroot()
        ran += int(suite.get("tests"))
        skipped += int(suite.get("skipped"))
        failed += int(suite.get("failures")) + int(suite.get("errors"))
        for case in suite.iter("testcase"):
            for why in case.iter("skipped"):
                text = (why.get("message") or why.text or "").strip().split("\n")[0]
                print("skipped:", case.get("classname").split(".")[-1] + "." + case.get("name"), "-", text)
print(f"{sys.argv[1]}{ran - failed - skipped} passed, {failed} failed, {skipped} skipped")

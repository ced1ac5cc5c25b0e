#!/usr/bin/env bash
# Boots the virtual machine once, and in it runs the tests with the tag vm (`short`), a file (`script FILE`), or a shell (`shell`).
# Needs the build in build/install and the modules' target directories. Reports are left in build/vm/reports.
# Exits with the tests' status; 77 with the reason where there can be no virtual machine.
set -euo pipefail
cd "$(dirname "$0")/../.."
lane=$1
. scripts/vm/machine.sh
rm -rf build/vm/reports
prepare_machine "${@:2}"
if [ "$lane" = shell ]; then
  echo "Ctrl-] x ends the machine"
  boot
  wait "$qemu"
  qemu=
  exit
fi
exec </dev/null
classes=
[ "$lane" != short ] || classes=$(grep -rl '@Tag("vm")' $(printf '%s/src/test/java ' $modules) | sed 's:/src/test/java/: :; s:\.java$::; s:/:.:g; s: :/:' | sort)
boot "CLASSES='$(echo $classes)'" LIMIT=100000 TAG=vm GO_ON=--go-on
await all "${VM_SECONDS:-3600}" || { echo "the virtual machine did not end by itself: $?"; exit 1; }
reports=build/vm/reports
mkdir -p $reports
tar -xif "$run/results.tar" -C $reports 2>/dev/null || true
if [ "$lane" = script ]; then exit "$(cat $reports/status || echo 1)"; fi
scripts/count.py "in the virtual machine: " "$reports/*/TEST-*.xml"
status=0
for class in $classes; do
  read -r code seconds <"$reports/${class/\//:}/verdict" && [ "$code" = 0 ] || { echo "in the virtual machine: $class ended with ${code:-nothing}"; status=1; }
done
exit $status

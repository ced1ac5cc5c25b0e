#!/usr/bin/env bash
# Everything: unit and kernel tests of the modules, then the end-to-end tests of the staged binary.
# Prints the counts; says what it skips and why.
set -uo pipefail
cd "$(dirname "$0")/.."
status=0
rm -rf */target/surefire-reports */target/failsafe-reports # what an earlier run said is not said again
mvn -B install -Dspotless.check.skip=true || status=1
# What needs systemd, cgroup v2 or AppArmor, in a virtual machine; JRUN_NO_VM=1 leaves it out.
reports=("*/target/surefire-reports/TEST-*.xml" "*/target/failsafe-reports/TEST-*.xml")
if [ -n "${JRUN_NO_VM:-}" ]; then
  echo "skipped: the virtual machine's tests - JRUN_NO_VM is set"
else
  VM_SECONDS=${VM_SECONDS:-1500} scripts/vm/run.sh short
  case $? in 0) ;; 77) ;; *) status=1 ;; esac
  reports+=("build/vm/reports/*/TEST-*.xml")
fi
scripts/count.py "" "${reports[@]}"
exit $status

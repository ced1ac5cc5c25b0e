#!/usr/bin/env bash
# Everything: unit and kernel tests of the modules, then the end-to-end tests of the staged binary; beside them (before them, where there are
# no more than two processors), in a virtual machine, the tests of what needs systemd, cgroup v2 or AppArmor, of which is told when the others
# have ended (JRUN_NO_VM=1 leaves them out).
# Prints the counts; says what it skips and why.
set -uo pipefail
cd "$(dirname "$0")/.."
status=0
rm -rf */target/surefire-reports */target/failsafe-reports # what an earlier run said is not said again
reports=("*/target/surefire-reports/TEST-*.xml" "*/target/failsafe-reports/TEST-*.xml")
machine=
if [ -z "${JRUN_NO_VM:-}" ]; then
  mkdir -p build/vm
  # it has as much of the processors as the others leave it, and two are not enough for both
  VM_SECONDS=${VM_SECONDS:-2400} VM_NICE=${VM_NICE:-0} nice -n 15 scripts/vm/run.sh short >build/vm/said 2>&1 &
  machine=$!
  trap '[ -z "$machine" ] || { kill $machine; wait $machine; }' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  [ "$(nproc)" -gt 2 ] || wait $machine
fi
scripts/reaper.py mvn -B install -Dspotless.check.skip=true || status=1
if [ -z "$machine" ]; then
  echo "skipped: the virtual machine's tests - JRUN_NO_VM is set"
else
  echo "in the virtual machine:"
  tail -n +1 -f --pid=$machine build/vm/said
  wait $machine
  case $? in 0) ;; 77) ;; *) status=1 ;; esac
  machine=
  reports+=("build/vm/reports/*/TEST-*.xml")
fi
scripts/count.py "" "${reports[@]}"
exit $status

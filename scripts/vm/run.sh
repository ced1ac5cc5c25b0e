#!/usr/bin/env bash
# Boots the virtual machine, and in it runs tests (lane short or full, or classes and their names), a file (lane script), or a shell (lane shell).
# Needs the build in build/install and the modules' target directories. Reports are left in build/vm/reports.
# Exits with the tests' status; 77 with the reason where there can be no virtual machine.
set -euo pipefail
cd "$(dirname "$0")/../.."
repository=$PWD
JAVA_HOME=$(scripts/find-jdk.sh)
export JAVA_HOME
lane=${1:-full}
shift || true
skip() { echo "skipped: the virtual machine's tests - $*"; exit 77; }
rm -rf build/vm/reports
why=$(scripts/vm/prepare.sh) || { [ $? = 77 ] && skip "$why"; exit 1; }
case ${LSM:-apparmor} in
  apparmor) security="apparmor=1 security=apparmor" kind=full ;;
  selinux) security="selinux=1 security=selinux enforcing=0" kind=selinux ;;
  *) echo "LSM is apparmor or selinux"; exit 2 ;;
esac
[ "$lane" != short ] || kind=small
case ${CGROUP:-2} in
  2) hierarchy= ;;
  1) hierarchy="systemd.unified_cgroup_hierarchy=0 systemd.legacy_systemd_cgroup_controller=1" ;;
  hybrid) hierarchy="systemd.unified_cgroup_hierarchy=0 systemd.legacy_systemd_cgroup_controller=0" ;;
  *) echo "CGROUP is 2, 1 or hybrid"; exit 2 ;;
esac
made=$(scripts/vm/image.sh $kind) || { [ $? = 77 ] && skip "$made"; exit 1; }
image=${made#image: }
memory=$(awk '/MemAvailable/ {print int($2 / 1024)}' /proc/meminfo)
[ "$memory" -ge 3000 ] || skip "it takes 2 GiB of memory, and ${memory} MiB are available"

# The second disk: the build and the tests' classes, to be mounted at this repository's own path.
run=$(mktemp -d "$PWD/build/vm/run.XXXXXX")
trap 'rm -rf "$run"' EXIT
work=$run/work
mkdir -p "$work/lib"
junit=$(sed -n 's:.*<junit.version>\(.*\)</junit.version>.*:\1:p' pom.xml)
console=build/vm/junit-platform-console-standalone-$junit.jar
[ -e "$console" ] || mvn -B -q dependency:copy -Dartifact="org.junit.platform:junit-platform-console-standalone:$junit" -DoutputDirectory="$repository/build/vm"
cp "$console" "$work/lib/"
modules=${VM_MODULES:-kernel cni integration-tests runtime}
libraries=build/vm/libraries-$(cat pom.xml ./*/pom.xml | sha256sum | cut -c1-16)
if [ ! -e "$libraries/complete" ]; then
  rm -rf build/vm/libraries-*
  mvn -B -q dependency:copy-dependencies -DincludeScope=test -DexcludeGroupIds=io.jrun,org.junit.jupiter,org.junit.platform \
    -DoutputDirectory="$repository/$libraries"
  touch "$libraries/complete"
fi
cp "$libraries"/*.jar "$work/lib/"
tar -c build/install build/helper scripts docs README.md Makefile */target/classes $(for module in $modules; do ls -d $module/target/test-classes $module/src/test \
  $module/pom.xml 2>/dev/null; done) | tar -C "$work" -x
printf '%s\n' "REPOSITORY='$repository'" "LANE='$lane'" "CLASSES='$*'" "MODULES='$modules'" "PATIENCE='${VM_PATIENCE:-6}'" "JAVA_HOME='$(readlink -f "$JAVA_HOME")'" >"$work/vm.conf"
install -m 755 scripts/vm/guest.sh "$work/run"
[ "$lane" != script ] || cp "$1" "$work/script"
mke2fs -q -t ext4 -O ^has_journal -m 0 -d "$work" "$run/work.img" 1G >/dev/null
rm -rf "$work"
truncate -s 64M "$run/results.tar"

# hugepages, so that hugetlb has something to limit; no udev, so no getty could wait for the console's device
append="console=ttyS0 quiet mitigations=off nokaslr panic=-1 systemd.show_status=0 systemd.getty_auto=0 $security $hierarchy hugepages=8"
# software emulation works everywhere; /dev/kvm is there on machines where it does not work, so it must be asked for
accel="-accel tcg,thread=multi -cpu Nehalem"
[ -z "${VM_KVM:-}" ] || accel="-accel kvm -cpu host"
# in the order of their names; without MSI-X, whose table qemu 7.2 has been seen to abort over while a busy machine boots
disk() { echo -drive "id=$1,file=$2,if=none,format=raw,cache=unsafe,snapshot=$3" -device "virtio-blk-pci,drive=$1,vectors=0"; }
if [ "$lane" = shell ]; then serial="-serial mon:stdio -echr 0x1d"; else serial="-serial stdio"; exec </dev/null; fi
[ "$lane" = shell ] && echo "Ctrl-] x ends the machine"
nice -n "${VM_NICE:-15}" timeout "${VM_SECONDS:-3600}" qemu-system-x86_64 -M q35 $accel -smp 2 -m 2G -nodefaults -display none -no-reboot $serial -kernel "$image/vmlinuz" -initrd "$image/initrd" \
  -append "$append" $(disk vda "$image/root.img" on) $(disk vdb "$run/work.img" on) $(disk vdc "$run/results.tar" off) || { echo "the virtual machine did not end by itself: $?"; exit 1; }
[ "$lane" = shell ] && exit 0
reports=build/vm/reports
mkdir -p $reports
tar -xf "$run/results.tar" -C $reports 2>/dev/null || { echo "the virtual machine returned no results"; exit 1; }
[ "$lane" = script ] || scripts/count.py "in the virtual machine: " "$reports/*/TEST-*.xml"
exit "$(cat $reports/status)"

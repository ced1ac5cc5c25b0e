# The virtual machine as seen from outside: what it needs, its disks, one boot. Sourced at the repository's top by run.sh and lane.sh, with
# `lane` set. What they leave when they end, in whatever way, is reports and the disks that are kept.
repository=$PWD
JAVA_HOME=$(scripts/find-jdk.sh)
export JAVA_HOME
modules="kernel cni integration-tests runtime"
run= qemu=
skip() { echo "skipped: the virtual machine's tests - $*"; exit 77; }

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

clear_away() {
  [ -z "$qemu" ] || kill "$qemu" 2>/dev/null || true
  [ -z "$qemu" ] || wait "$qemu" || true
  rm -rf "$run"
  for image in build/vm/image-*; do
    [ ! -d "$image" ] || [ -e "$image/complete" ] || rm -rf --one-file-system "$image"
  done
}

# Sets `image` and `work`, a disk with the build and the tests' classes, to be mounted at this repository's own path.
prepare_machine() {
  mkdir -p build/vm
  exec 9>build/vm/lock
  flock --nonblock 9 || { echo "another call is at work in build/vm"; exit 1; }
  rm -rf build/vm/run.* # of a call that was killed
  trap clear_away EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  local why made memory needed=3000
  [ "$lane" != short ] || needed=4000 # the other tests run beside it
  why=$(scripts/vm/prepare.sh) || { [ $? = 77 ] && skip "$why"; exit 1; }
  made=$(scripts/vm/image.sh $kind) || { [ $? = 77 ] && skip "$made"; exit 1; }
  image=${made#image: }
  memory=$(awk '/MemAvailable/ {print int($2 / 1024)}' /proc/meminfo)
  [ "$memory" -ge $needed ] || skip "it takes 2 GiB of memory and leaves $((needed - 2000)) MiB to others, and ${memory} MiB are available"

  run=$(mktemp -d "$PWD/build/vm/run.XXXXXX")
  local files=$run/files junit console libraries
  mkdir -p "$files/lib"
  junit=$(sed -n 's:.*<junit.version>\(.*\)</junit.version>.*:\1:p' pom.xml)
  console=build/vm/junit-platform-console-standalone-$junit.jar
  [ -e "$console" ] || mvn -B -q dependency:copy -Dartifact="org.junit.platform:junit-platform-console-standalone:$junit" -DoutputDirectory="$repository/build/vm"
  cp "$console" "$files/lib/"
  "$JAVA_HOME/bin/javac" -cp "$console" -d "$run/lane" scripts/vm/Lane.java
  "$JAVA_HOME/bin/jar" --create --file "$files/lib/lane.jar" -C "$run/lane" .
  libraries=build/vm/libraries-$(cat pom.xml ./*/pom.xml | sha256sum | cut -c1-16)
  if [ ! -e "$libraries/complete" ]; then
    rm -rf build/vm/libraries-*
    mvn -B -q dependency:copy-dependencies -DincludeScope=test -DexcludeGroupIds=io.jrun,org.junit.jupiter,org.junit.platform \
      -DoutputDirectory="$repository/$libraries"
    touch "$libraries/complete"
  fi
  cp "$libraries"/*.jar "$files/lib/"
  tar -c build/install build/helper scripts docs README.md Makefile */target/classes $(for module in $modules; do ls -d $module/target/test-classes $module/src/test \
    $module/pom.xml 2>/dev/null; done) | tar -C "$files" -x
  install -m 755 scripts/vm/guest.sh "$files/run"
  [ "$lane" != script ] || cp "$1" "$files/script"
  mke2fs -q -t ext4 -O ^has_journal -m 0 -d "$files" "$run/work.img" 1G >/dev/null
  rm -rf "$files"
}

# Boots, with some `NAME='value'` for guest.sh, and leaves qemu's process in `qemu`. What the machine returns is in $run/results.tar when it has ended.
boot() {
  printf '%s\n' "REPOSITORY='$repository'" "LANE='$lane'" "MODULES='$modules'" "PATIENCE='${VM_PATIENCE:-6}'" "SWEEP='${VM_SWEEP:-5}'" "JAVA_HOME='$(readlink -f "$JAVA_HOME")'" "$@" >"$run/settings"
  truncate -s %4096 "$run/settings"
  rm -f "$run/results.tar"
  truncate -s 256M "$run/results.tar"
  # hugepages, so that hugetlb has something to limit; no udev, so no getty could wait for the console's device
  local append="console=ttyS0 quiet mitigations=off nokaslr panic=-1 systemd.show_status=0 systemd.getty_auto=0 $security $hierarchy hugepages=8"
  # software emulation works everywhere; /dev/kvm is there on machines where it does not work, so it must be asked for
  local accel="-accel tcg,thread=multi -cpu Nehalem"
  [ -z "${VM_KVM:-}" ] || accel="-accel kvm -cpu host"
  local serial="stdio,id=console,logfile=$run/console"
  [ "$lane" != shell ] || serial+=",mux=on,signal=off -mon console -echr 0x1d"
  # the disks in the order of their names; without MSI-X, whose table qemu 7.2 has been seen to abort over while a busy machine boots
  disk() { echo -drive "id=$1,file=$2,if=none,format=raw,cache=unsafe,snapshot=$3" -device "virtio-blk-pci,drive=$1,vectors=0"; }
  # it ends with this script even where that is killed
  setpriv --pdeathsig KILL nice -n "${VM_NICE:-15}" qemu-system-x86_64 -M q35 $accel -smp 2 -m 2G -nodefaults -display none -no-reboot \
    -chardev $serial -serial chardev:console -kernel "$image/vmlinuz" -initrd "$image/initrd" -append "$append" \
    $(disk vda "$image/root.img" on) $(disk vdb "$run/work.img" on) $(disk vdc "$run/results.tar" off) $(disk vdd "$run/settings" on) <&0 9>&- &
  qemu=$!
}

# Waits for the machine to end: at most so many seconds, or so many without a word from it.
await() { # all|silent SECONDS
  local since=$SECONDS code=0 gone
  while kill -0 "$qemu" 2>/dev/null; do
    sleep 2
    if [ "$1" = all ]; then gone=$((SECONDS - since)); else gone=$(($(date +%s) - $(stat -c %Y "$run/console"))); fi
    [ $gone -le "$2" ] || { echo "the virtual machine does not end within $2 s"; kill "$qemu"; break; }
  done
  wait "$qemu" || code=$?
  qemu=
  return $code
}

#!/bin/bash
# Inside the virtual machine, as its one service: runs the tests and returns their reports through the third disk, or leaves a shell.
set -u
. "${0%/*}/vm.conf"
mkdir -p "$REPOSITORY"
mount --bind "${0%/*}" "$REPOSITORY"
cd "$REPOSITORY"
export JAVA_HOME PATH=$JAVA_HOME/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
mkdir -p /opt/cni
ln -sfn /usr/lib/cni /opt/cni/bin
# Debian's policy lacks the types that its own list names for containers
contexts=/etc/selinux/default/contexts/lxc_contexts
[ ! -e $contexts ] || sed -i 's/:container_t:/:svirt_t:/; s/:container_file_t:/:svirt_image_t:/' $contexts
# the ordinary user's own systemd, as after a login
systemctl start user@1000.service
if [ "$LANE" = shell ]; then
  export PATH=$REPOSITORY/build/install/bin:$PATH TERM=vt220
  echo "jrun is in the PATH; user 1000 has a systemd of its own; leave with exit"
  exec bash -i
fi
results=/run/results
mkdir -p $results
if [ "$LANE" = script ]; then
  export PATH=$REPOSITORY/build/install/bin:$PATH
  bash "$REPOSITORY/script"
  echo $? >$results/status
  tar -C $results -cf /dev/vdc .
  exit
fi
status=0 found=
export JRUN_PATIENCE=$PATIENCE # how much longer everything may take here
for module in $MODULES; do
  [ "$LANE" = full ] || [ "$LANE" = classes ] || [ $module = integration-tests ] || continue
  cd "$REPOSITORY/$module"
  # named one by one: to look for tests in all classes takes an emulated processor long
  case $LANE in
    full) names=$(find target/test-classes -name '*IT.class') ;;
    short) names=$(grep -rl '@Tag("vm")' src/test | sed 's:src/test/java:target/test-classes:; s:\.java$:.class:') ;;
    classes) names=$(for class in $CLASSES; do find target/test-classes -name "${class%#*}.class" -printf "%p${class#"${class%#*}"}\n"; done) ;;
  esac
  [ -n "$names" ] || continue
  found=1
  select=$(sed 's:target/test-classes/:--select-class=:; s:\.class::; s:/:.:g; /#/s:-class=:-method=:' <<<"$names")
  [ "$LANE" != short ] || select+=" --include-tag=vm"
  path=target/test-classes:$(ls -d ../{specs,kernel,cni,rootfs-tools,runtime}/target/classes | paste -sd:):$(ls ../lib/*.jar | paste -sd:)
  java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xmx512m --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow -Djrun.patience=$JRUN_PATIENCE -Dbasedir="$PWD" \
    -cp "$path" org.junit.platform.console.ConsoleLauncher execute $select --include-engine=junit-jupiter --config=junit.jupiter.testclass.order.default=org.junit.jupiter.api.ClassOrderer\$ClassName --config=junit.jupiter.execution.timeout.default=$((120 * JRUN_PATIENCE))s --reports-dir=$results/$module \
    --details=testfeed --disable-ansi-colors --disable-banner
  code=$?
  [ $code = 0 ] || status=1
done
[ -n "$found" ] || { echo "there are no classes of tests here"; status=1; }
[ "$LANE" != classes ] || for class in $CLASSES; do
  find "$REPOSITORY"/*/target/test-classes -name "${class%#*}.class" | grep -q . || { echo "there is no class $class"; status=1; }
done
echo $status >$results/status
journalctl -b --no-pager >$results/journal 2>/dev/null
tar -C $results -cf /dev/vdc .
sync

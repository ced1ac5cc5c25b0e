#!/bin/bash
# Inside the virtual machine, as its one service: runs the tests and returns their reports through the third disk, or leaves a shell.
# What it is to do comes on the fourth.
set -u
. <(tr -d '\0' </dev/vdd)
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
export JRUN_PATIENCE=$PATIENCE # how much longer everything may take here
exec 3>/dev/vdc
# Sends what has ended, one archive behind the other.
send() {
  local verdict name code seconds
  for verdict in $results/*/verdict; do
    [ -e "$verdict" ] || continue
    name=$(basename "${verdict%/*}")
    read -r code seconds <"$verdict"
    echo "$name: ends with $code after $seconds s"
    if [ "$code" != 0 ]; then
      cat "$results/$name/output"
      cp $results/said "$results/$name/said"
      journalctl -b --no-pager >"$results/$name/journal" 2>/dev/null
    fi
    tar -C $results -c "$name" >&3
    sync /dev/vdc
    rm -rf "${results:?}/$name"
  done
}
for module in $MODULES; do
  names=$(tr ' ' '\n' <<<"$CLASSES" | sed -n "s:^$module/::p")
  [ -n "$names" ] || continue
  cd "$REPOSITORY/$module"
  java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xmx512m --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow -Djrun.patience=$PATIENCE -Djrun.sweep.every=$SWEEP -Dbasedir="$PWD" -Dlane.tag=$TAG \
    -cp "target/test-classes:$(ls -d ../{specs,kernel,cni,rootfs-tools,runtime}/target/classes | paste -sd:):$(ls ../lib/*.jar | paste -sd:)" \
    Lane $GO_ON $results $module $names >$results/said 2>&1 </dev/null 3>&- &
  tests=$! shown= step=
  while kill -0 $tests 2>/dev/null; do
    sleep 2
    send
    running=$(cat $results/running 2>/dev/null)
    [ -n "$running" ] || continue
    [ "$running" = "$shown" ] || echo "$running: begins"
    shown=$running
    # where it is, should the machine not live to send the output
    now=$(sed -n 's/: begins$//p' "$results/$running/output" 2>/dev/null | tail -n 1)
    [ -z "$now" ] || [ "$now" = "$step" ] || echo "  $now"
    step=$now
    if [ $(($(date +%s) - $(stat -c %Y $results/running 2>/dev/null || date +%s))) -gt $LIMIT ]; then
      kill -QUIT $tests # it says where its threads are
      sleep 3
      kill -KILL $tests
      break
    fi
  done
  wait $tests
  code=$?
  send
  if [ -s $results/running ]; then # the JVM is gone without a verdict
    running=$(cat $results/running)
    cat $results/said >>"$results/$running/output"
    echo "$code $(($(date +%s) - $(stat -c %Y $results/running)))" >"$results/$running/verdict"
    rm $results/running
    send
  fi
  # what a class that failed left behind is not for the next one
  [ $code = 0 ] || [ -n "$GO_ON" ] || break
done

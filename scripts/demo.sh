#!/usr/bin/env bash
# A container from a busybox root filesystem: what it sees of itself.
set -euo pipefail
cd "$(dirname "$0")/.."
jrun=$PWD/build/install/bin/jrun
rm -rf demo && mkdir -p demo && cd demo
../scripts/rootfs.sh rootfs
"$jrun" spec
jq '.process.terminal = false
  | .process.args = ["/bin/sh", "-c", "echo host name: $(hostname); echo; echo processes:; ps; echo; echo mounts:; mount; echo; echo cgroup:; cat /proc/self/cgroup"]' \
  config.json > config.new && mv config.new config.json
echo "\$ jrun run demo"
"$jrun" run demo
echo
echo "The bundle is in demo/. For a shell in it, with a terminal:"
echo "  cd demo && rm config.json && $jrun spec && $jrun run shell"

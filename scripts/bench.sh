#!/bin/bash
# Measures jrun beside runc and crun on one bundle and prints a markdown table.
#
# JRUN=build/install/bin/jrun   the jrun to measure
# BENCH_RUNS=30                 runs per timed case
# BENCH_CONTAINERS=1000         containers after which the engine's memory is read (also at a tenth)
# BENCH_PARALLEL=200            containers started at once
# BENCH_OUT=build/bench         where hyperfine's JSON and table.md go
set -euo pipefail

cd "$(dirname "$0")/.."
export JRUN=${JRUN:-build/install/bin/jrun}
export BENCH_RUNS=${BENCH_RUNS:-30} BENCH_CONTAINERS=${BENCH_CONTAINERS:-1000} BENCH_PARALLEL=${BENCH_PARALLEL:-200}
export BENCH_OUT=${BENCH_OUT:-build/bench}

[ "$(id -u)" = 0 ] || { echo "bench.sh: needs root" >&2; exit 1; }

missing=()
for pair in runc:runc crun:crun hyperfine:hyperfine jq:jq busybox:busybox-static python3:python3; do
  command -v "${pair%%:*}" > /dev/null || missing+=("${pair##*:}")
done
if [ ${#missing[@]} -gt 0 ]; then
  echo "bench.sh: installing the Debian packages ${missing[*]}" >&2
  apt-get install -y -qq "${missing[@]}" >&2 || echo "bench.sh: not all could be installed" >&2
fi

work=$(mktemp -d /tmp/jrun-bench.XXXXXX)
mounted=()
cleanup() {
  for name in jrun crun runc; do
    runtime=$name root=$work/state/$name
    [ $name != jrun ] || runtime=$JRUN
    [ -d "$root" ] && command -v "$runtime" > /dev/null || continue
    for id in $("$runtime" --root "$root" list -q 2> /dev/null); do
      "$runtime" --root "$root" delete --force "$id" 2> /dev/null || true
    done
  done
  for directory in ${mounted[@]+"${mounted[@]}"}; do
    umount "$directory" && rmdir "$directory" || echo "bench.sh: $directory stays mounted" >&2
  done
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# crun takes a cgroup v1 machine for a broken hybrid when a controller is not mounted.
if [ -d /sys/fs/cgroup/unified ] && command -v crun > /dev/null; then
  if grep -q '^hugetlb' /proc/cgroups && ! mountpoint -q /sys/fs/cgroup/hugetlb; then
    made=0
    [ -d /sys/fs/cgroup/hugetlb ] || { mkdir /sys/fs/cgroup/hugetlb; made=1; }
    if mount -t cgroup -o hugetlb cgroup /sys/fs/cgroup/hugetlb; then
      mounted+=(/sys/fs/cgroup/hugetlb)
      echo "bench.sh: mounted the hugetlb controller for crun, until the end" >&2
    elif [ $made = 1 ]; then
      rmdir /sys/fs/cgroup/hugetlb
    fi
  fi
fi

mkdir -p "$BENCH_OUT" "$work/bundle/rootfs" "$work/state"
# the runtimes keep their state in /run, which is a tmpfs nearly everywhere
if mount -t tmpfs -o size=64m tmpfs "$work/state"; then mounted+=("$work/state"); fi
scripts/rootfs.sh "$work/bundle/rootfs"
cat > "$work/cycle.sh" << 'SH'
# create, start and delete: cycle.sh RUNTIME ROOT BUNDLE ID
"$1" --root "$2" create --bundle "$3" "$4" < /dev/null > /dev/null &&
"$1" --root "$2" start "$4" &&
exec "$1" --root "$2" delete --force "$4"
SH

python3 scripts/bench.py "$work" | tee "$BENCH_OUT/table.md"

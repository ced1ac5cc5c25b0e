#!/usr/bin/env bash
# Unpacks and packs a Debian file system of this machine's packages with jrun, GNU tar and umoci, in turns, and
# prints a markdown table of medians.
#
# JRUN=build/install/bin/jrun   the jrun to measure
# BENCH_MB=600                  how much of the packages' files to take
# BENCH_ROUNDS=5                rounds; the first does not count
# BENCH_DIR=/dev/shm            where to unpack; a file system in memory measures the programs, not the disk
set -euo pipefail

cd "$(dirname "$0")/.."
JRUN=$(readlink -f "${JRUN:-build/install/bin/jrun}")
export JRUN
export BENCH_MB=${BENCH_MB:-600} BENCH_ROUNDS=${BENCH_ROUNDS:-5}
[ "$(id -u)" = 0 ] || { echo "bench-rootfs.sh: needs root" >&2; exit 1; }

missing=()
for pair in umoci:umoci zstd:zstd python3:python3 tar:tar gzip:gzip; do
  command -v "${pair%%:*}" > /dev/null || missing+=("${pair##*:}")
done
ldconfig -p | grep -q 'libisal.so.2' || missing+=(libisal2)
if [ ${#missing[@]} -gt 0 ]; then
  echo "bench-rootfs.sh: installing the Debian packages ${missing[*]}" >&2
  apt-get install -y -qq "${missing[@]}" >&2 || echo "bench-rootfs.sh: not all could be installed" >&2
fi

work=$(mktemp -d "${BENCH_DIR:-/dev/shm}/jrun-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
python3 scripts/bench-rootfs.py "$work"

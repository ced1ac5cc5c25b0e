#!/usr/bin/env bash
# Installs what the virtual machine needs and this machine lacks: some 25 MB of Debian packages. Exits 77 with the reason where it cannot.
set -euo pipefail
missing=()
command -v qemu-system-x86_64 >/dev/null || missing+=(qemu-system-x86)
command -v mmdebstrap >/dev/null || missing+=(mmdebstrap)
command -v mke2fs >/dev/null || missing+=(e2fsprogs)
[ ${#missing[@]} -eq 0 ] && exit 0
skip() { echo "$*"; exit 77; }
[ "$(uname -m)" = x86_64 ] || skip "the virtual machine is for x86_64"
command -v apt-get >/dev/null && [ "$(id -u)" = 0 ] || skip "only root on Debian or Ubuntu gets ${missing[*]} installed"
echo "installing: ${missing[*]}" >&2
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq >&2 || true
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null || skip "${missing[*]} could not be installed"

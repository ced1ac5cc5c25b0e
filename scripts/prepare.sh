#!/usr/bin/env bash
# Installs what the build and its tests need and the machine lacks (Debian and Ubuntu); says what.
set -euo pipefail
cd "$(dirname "$0")"
missing=()
need() { command -v "$1" >/dev/null || missing+=("$2"); }
need mvn maven
need gcc gcc
need busybox busybox-static
need python3 python3
need jq jq
need ps procps
for tool in umoci skopeo buildah docker-registry zstd openssl; do need $tool $tool; done
need xz xz-utils
need mkfs.btrfs btrfs-progs
need bzip2 bzip2
need setfattr attr
need setfacl acl
need htpasswd apache2-utils
need setpriv util-linux
need newuidmap uidmap
need ip iproute2
need ping iputils-ping
need nft nftables
need iptables iptables
[ -x /usr/lib/cni/bridge ] || [ -x /opt/cni/bin/bridge ] || missing+=(containernetworking-plugins)
ldconfig -p | grep -q 'libnftables.so.1' || missing+=(libnftables1)
[ -e /usr/share/doc/busybox-static ] || missing+=(busybox-static)
ldconfig -p | grep -q 'libseccomp.so.2' || missing+=(libseccomp2)
ldconfig -p | grep -q 'libisal.so.2' || missing+=(libisal2)
./find-jdk.sh >/dev/null || missing+=(openjdk-25-jdk-headless)
[ ${#missing[@]} -eq 0 ] && exit 0
if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
  echo "missing, and only root on Debian or Ubuntu gets it installed: ${missing[*]}" >&2
  exit 1
fi
echo "installing: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
if ! ./find-jdk.sh >/dev/null && ! apt-get install -s openjdk-25-jdk-headless >/dev/null 2>&1; then
  echo "no JDK 25 in JAVA_HOME, /usr/lib/jvm or this distribution's packages: install one (such as Temurin 25)" >&2
  exit 1
fi
apt-get install -y -qq "${missing[@]}" >/dev/null

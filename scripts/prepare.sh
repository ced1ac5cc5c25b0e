#!/usr/bin/env bash
# Installs what the build needs and the machine lacks (Debian and Ubuntu); says what. `prepare.sh tests` does so with what the
# tests need besides: the callers and peers of a runtime, as packages; no service of theirs is started.
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
need containerd containerd # brings runc, its model
need ctr containerd
need ip iproute2
need ping iputils-ping
need nft nftables
need dbus-daemon dbus-daemon
need iptables iptables
need etcd etcd-server
[ -x /usr/lib/cni/bridge ] || [ -x /opt/cni/bin/bridge ] || missing+=(containernetworking-plugins)
ldconfig -p | grep -q 'libnftables.so.1' || missing+=(libnftables1)
[ -e /usr/share/doc/busybox-static ] || missing+=(busybox-static)
ldconfig -p | grep -q 'libseccomp.so.2' || missing+=(libseccomp2)
ldconfig -p | grep -q 'libisal.so.2' || missing+=(libisal2)
./find-jdk.sh >/dev/null || missing+=(openjdk-25-jdk-headless)
if [ "${1:-}" = tests ]; then
  for tool in podman conmon criu runc; do need $tool $tool; done
  need dockerd docker.io
  need slirp4netns slirp4netns
  need useradd passwd
  [ -x /usr/libexec/podman/catatonit ] || need catatonit catatonit
fi
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
# this is how a Debian package is kept from starting its service (invoke-rc.d's policy layer)
if [ ! -e /usr/sbin/policy-rc.d ]; then
  trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d
  chmod 755 /usr/sbin/policy-rc.d
fi
apt-get install -y -qq "${missing[@]}" >/dev/null

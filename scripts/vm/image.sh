#!/usr/bin/env bash
# Makes the virtual machine under build/vm: kernel, initramfs, and a disk with Debian, systemd and this machine's JDK. `image.sh KIND` is small
# (what the tests with the tag vm need), full (the callers and peers too) or selinux (full, with a policy and labels). Nothing of it
# is installed here. What was made of the same inputs is kept. Prints "image: DIRECTORY"; exits 77 with the reason where it cannot be made.
set -euo pipefail
# mmdebstrap mounts /proc, /sys and devices below the new root: in mounts of its own, so that nothing of them is left where a run that was cut
# off is cleared away
if [ -z "${JRUN_VM_MOUNTS:-}" ] && [ "$(id -u)" = 0 ]; then
  JRUN_VM_MOUNTS=own exec unshare --mount --propagation private "$BASH" "$0" "$@"
fi
cd "$(dirname "$0")/../.."
out=build/vm
kind=$1
suite=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
skip() { echo "$*"; exit 77; }
[ "$(uname -m)" = x86_64 ] || skip "the virtual machine is for x86_64"
[ "$(id -u)" = 0 ] || skip "making the virtual machine's disk needs root"
for tool in mmdebstrap mke2fs dpkg-deb; do command -v $tool >/dev/null || skip "$tool is not installed"; done
[ -n "$suite" ] || skip "/etc/os-release names no release of Debian"
jdk=$(readlink -f "$JAVA_HOME")
case $kind in
  small) lists=packages cost="half a minute and some 150 MB" ;;
  full) lists="packages packages-full" cost="three minutes and some 300 MB" ;;
  selinux) lists="packages packages-full packages-selinux" cost="four minutes and some 320 MB" ;;
esac
packages=$(cd scripts/vm && grep -hv '^#' $lists | paste -sd,)
key=$( (echo "$packages $jdk $suite"; cat "$jdk/release"; sha256sum scripts/vm/init scripts/vm/image.sh scripts/vm/root/*) | sha256sum | cut -c1-16)
dir=$out/image-$kind-$key
if [ -e "$dir/complete" ]; then echo "image: $dir"; exit 0; fi
rm -rf --one-file-system "$out/image-$kind"-*
mkdir -p "$dir"
log=$dir/log
echo "making the virtual machine's disk in $dir ($cost of Debian packages)" >&2

kernel=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null | sed -n 's/.*Depends: //p' | head -1)
[ -n "$kernel" ] || skip "no linux-image-cloud-amd64 among this distribution's packages"
(cd "$dir" && apt-get download -qq "$kernel") >>"$log" 2>&1 || skip "$kernel could not be downloaded: $(tail -1 "$log")"
dpkg-deb -x "$dir/$kernel"*.deb "$dir/kernel"
rm "$dir/$kernel"*.deb
version=$(ls "$dir/kernel/lib/modules")
mv "$dir/kernel/boot/vmlinuz-$version" "$dir/vmlinuz"

root=$dir/root
mmdebstrap --variant=essential --include="$packages" --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' "$suite" "$root" >>"$log" 2>&1 \
  || skip "Debian's packages could not be had: $(grep -m1 '^E:' "$log" || tail -1 "$log")"
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*

# The kernel's modules, but for hardware that the machine lacks; those of the disk go into the initramfs.
mkdir -p "$root/lib/modules"
mv "$dir/kernel/lib/modules/$version" "$root/lib/modules/"
rm -rf "$dir/kernel" "$root/lib/modules/$version/kernel/drivers/"{gpu,infiniband,scsi,media,hid,usb}
chroot "$root" depmod "$version"
initramfs=$dir/initramfs
mkdir -p "$initramfs"/{bin,modules,proc,dev,root}
cp "$root/bin/busybox" "$initramfs/bin/"
install -m 755 scripts/vm/init "$initramfs/init"
for module in virtio_pci virtio_blk; do
  chroot "$root" modprobe --set-version "$version" --show-depends $module | while read -r _ path; do
    name=$(basename "$path")
    [ -e "$initramfs/modules/$name" ] && continue
    cp "$root$path" "$initramfs/modules/"
    echo "$name" >>"$initramfs/modules/order"
  done
done
(cd "$initramfs" && find . | "$OLDPWD/$root/bin/busybox" cpio -o -H newc 2>/dev/null) >"$dir/initrd"

# The JDK at its own path, without what only a compiler's users need.
mkdir -p "$root$jdk"
tar -C "$jdk" --dereference --exclude=./jmods --exclude=./lib/src.zip --exclude=./lib/ct.sym --exclude=./man --exclude=./include --exclude=./demo -c . \
  | tar -C "$root$jdk" -x

# A machine that only runs tests: no logins, timers or consoles, one ordinary user.
echo jrun-vm >"$root/etc/hostname"
printf '127.0.0.1 localhost jrun-vm\n' >"$root/etc/hosts"
chroot "$root" useradd --create-home --uid 1000 --shell /bin/bash user >>"$log" 2>&1
cp scripts/vm/root/*.service "$root/etc/systemd/system/"
chroot "$root" systemctl enable jrun-vm.service >>"$log" 2>&1
chroot "$root" systemctl mask getty@tty1.service systemd-logind.service.wants e2scrub_reap.service fstrim.timer e2scrub_all.timer dpkg-db-backup.timer \
  systemd-pcrphase.service systemd-pcrphase-sysinit.service systemd-firstboot.service systemd-update-utmp.service \
  systemd-update-utmp-runlevel.service >>"$log" 2>&1
# the tests start what they need of these
chroot "$root" systemctl mask containerd.service docker.service docker.socket docker-registry.service etcd.service podman.service podman.socket \
  podman-auto-update.service podman-auto-update.timer podman-restart.service >>"$log" 2>&1
: >"$root/etc/resolv.conf" # no name servers, but containerd's pods have a copy of it
rm -f "$root/etc/machine-id"
tr -d - </proc/sys/kernel/random/uuid >"$root/etc/machine-id"
if [ "$kind" = selinux ]; then
  sed -i 's/^SELINUX=.*/SELINUX=permissive/; s/^SELINUXTYPE=.*/SELINUXTYPE=default/' "$root/etc/selinux/config"
  mount --bind /proc "$root/proc" # a label is set through a descriptor's path
  chroot "$root" setfiles -F -e /proc /etc/selinux/default/contexts/files/file_contexts / >>"$log" 2>&1
  umount "$root/proc"
fi

# with a journal: without one, ext4 looks at every inode that was freed a moment ago before it takes another
mke2fs -q -t ext4 -m 0 -d "$root" "$dir/root.img" 4G >>"$log" 2>&1
rm -rf --one-file-system "$root" "$initramfs"
touch "$dir/complete"
echo "image: $dir"

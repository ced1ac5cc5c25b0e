#!/bin/sh
# Makes a busybox root filesystem: rootfs.sh DIR
set -eu

dir=${1:?usage: rootfs.sh DIR}
busybox=${BUSYBOX:-/bin/busybox}

if [ ! -x "$busybox" ]; then
  echo "rootfs.sh: installing the Debian package busybox-static" >&2
  apt-get install -y -qq busybox-static >&2
fi

for name in bin dev etc home mnt proc root run sys tmp usr/bin var; do
  mkdir -p "$dir/$name"
done
chmod 1777 "$dir/tmp"
cp "$busybox" "$dir/bin/busybox"
chmod 755 "$dir/bin/busybox"
for applet in $("$busybox" --list); do
  [ "$applet" = busybox ] || ln -sfn busybox "$dir/bin/$applet"
done
# not /etc/resolv.conf: the network is whoever's who runs the container
printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n' > "$dir/etc/passwd"
printf 'root:x:0:\nnogroup:x:65534:\n' > "$dir/etc/group"
printf 'busybox\n' > "$dir/etc/hostname"
printf '127.0.0.1\tlocalhost\n' > "$dir/etc/hosts"

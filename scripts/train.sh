#!/usr/bin/env bash
# A run whose classes make the AOT cache: the commands a user gives first.
jrun=$1
# in a network namespace of its own, so that a network can be made and nobody sees it
if [ "$(id -u)" = 0 ] && [ -z "${JRUN_TRAINING:-}" ] && [ -n "$(command -v unshare)" ]; then
  JRUN_TRAINING=1 exec unshare --net -- "$0" "$@"
fi
# An image of a directory, without jrun: who packs one is no new user, and an engine would have the classes for it ever after.
pack() {
  mkdir -p layout/blobs/sha256
  blob() { # of a file, which it takes: its descriptor, up to the type
    local digest; digest=$(sha256sum < "$1"); digest=${digest%% *}
    printf '"digest":"sha256:%s","size":%s' "$digest" "$(stat -c %s "$1")"
    mv "$1" "layout/blobs/sha256/$digest"
  }
  local oci=application/vnd.oci.image machine
  case $(uname -m) in x86_64) machine=amd64 ;; aarch64) machine=arm64 ;; *) machine=$(uname -m) ;; esac
  tar -C "$1" -cf layer . && local layer config manifest
  layer=$(blob layer)
  printf '{"os":"linux","architecture":"%s","config":{"Cmd":["/bin/true"]},"rootfs":{"type":"layers","diff_ids":[%s]}}' \
    "$machine" "$(sed 's/"digest":\([^,]*\),.*/\1/' <<<"$layer")" > config
  config=$(blob config)
  printf '{"schemaVersion":2,"config":{"mediaType":"%s.config.v1+json",%s},"layers":[{"mediaType":"%s.layer.v1.tar",%s}]}' \
    "$oci" "$config" "$oci" "$layer" > manifest
  manifest=$(blob manifest)
  printf '{"schemaVersion":2,"manifests":[{"mediaType":"%s.manifest.v1+json",%s,"annotations":{"org.opencontainers.image.ref.name":"train"}}]}' \
    "$oci" "$manifest" > layout/index.json
  printf '{"imageLayoutVersion":"1.0.0"}' > layout/oci-layout
  tar -C layout -cf "$2" oci-layout index.json blobs && rm -r layout
}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
"$jrun" spec || exit 0
if [ "$(id -u)" = 0 ] && [ -n "$(command -v busybox)" ]; then
  mkdir -p rootfs/bin rootfs/etc rootfs/proc rootfs/sys rootfs/dev
  cp "$(command -v busybox)" rootfs/bin/busybox && ln -s busybox rootfs/bin/sh && ln -s busybox rootfs/bin/true
  jq '.process.terminal=false | .process.args=["/bin/true"]' config.json > c && mv c config.json
  for _ in 1 2 3; do "$jrun" --root "$work/state" run "train-$$" || true; done
  "$jrun" --root "$work/state" create "train-$$" && "$jrun" --root "$work/state" start "train-$$"
  "$jrun" --root "$work/state" state "train-$$" >/dev/null; "$jrun" --root "$work/state" list >/dev/null
  sleep 0.2; "$jrun" --root "$work/state" delete --force "train-$$"
  pack rootfs image.tar
  "$jrun" image load --store "$work/store" image.tar >/dev/null
  "$jrun" image list --store "$work/store" >/dev/null
  for _ in 1 2; do
    "$jrun" --root "$work/state" run --image image:train --store "$work/store" --entrypoint /bin/true "train-$$" || true
  done
  "$jrun" rootfs unpack image.tar unpacked
  jq '.process.args=["/bin/busybox", "sleep", "60"] | .linux.resources.cpu.shares=1024' config.json > c && mv c config.json
  [ -z "$(command -v python3)" ] ||
    python3 "$here/train-shim.py" "$(dirname "$jrun")/containerd-shim-jrun-v2" "$work" "train-$$" "$work/none" || true
fi
if [ -n "${JRUN_TRAINING:-}" ] && [ -n "$(command -v ip)" ] && ip netns add "train-$$"; then
  export CNI_CONTAINERID=train CNI_NETNS=/run/netns/train-$$ CNI_IFNAME=eth0 CNI_PATH=/usr/lib/cni
  printf '{"cniVersion":"1.0.0","name":"train","type":"simplecni","bridge":"train0","ipMasq":true,
    "ipam":{"subnet":"10.99.0.0/16","dataDir":"%s/leases"}}' "$work" > network.json
  for _ in 1 2 3; do
    for verb in ADD DEL; do CNI_COMMAND=$verb "$(dirname "$jrun")/simplecni" < network.json >/dev/null; done
  done
  ip netns del "train-$$"
fi
sleep 3 # the engine rests
# the engine writes the cache when it ends, by a child that it waits for
engine=$("$jrun" engine status | sed -n 's|^pid: ||p')
"$jrun" engine stop
for _ in $(seq 600); do [ -n "$engine" ] && [ -e "/proc/$engine" ] || break; sleep 0.1; done

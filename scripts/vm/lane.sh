#!/usr/bin/env bash
# Runs the classes of tests of the kernel, of networks and from end to end in the virtual machine, in turn, each with a time limit of its
# own (VM_SECONDS). What a class ended with is kept in build/vm/results as soon as its machine has ended, and the next call leaves out what has passed of
# the same sources (ANEW=1: nothing). A class that has not passed ends its machine: the next one begins on a clean one.
# Arguments: classes, or methods as CLASS#METHOD, which run whatever is kept of them; without any, the whole lane of the machine that CGROUP and LSM ask for.
# Exits with 0 only where every class has passed, and what was skipped is in expected-skips.
set -euo pipefail
cd "$(dirname "$0")/../.."
lane=classes
. scripts/vm/machine.sh
machine=v${CGROUP:-2}-${LSM:-apparmor}
kept=build/vm/results/$machine
limit=${VM_SECONDS:-1800}
exec </dev/null

# MODULE/CLASS of each, as the sources say: what the build lost is asked for too, and fails
all=$(cd "$repository" && find $(printf '%s/src/test/java ' $modules) -name '*IT.java' | sed 's:/src/test/java/: :; s:\.java$::' \
  | while read -r module class; do echo "$module/${class//\//.}"; done | sort)
of() { # CLASS[#METHOD]...
  local name found
  for name; do
    found=$(grep "[./]${name%%#*}\$" <<<"$all") || { echo "there is no class $name" >&2; return 1; }
    sed "s:\$:${name#"${name%%#*}"}:" <<<"$found"
  done
}
# what another machine is for
case $machine in
  v2-apparmor) whole=$(grep -vxFf <(of $(sed '/^#/d; s/ .*//' scripts/vm/left-out)) <<<"$all") ;;
  v*-selinux) whole=$(of SelinuxIT CriSelinuxIT) ;;
  v*-apparmor) whole=$(of $(sed '/^#/d' scripts/vm/classes-v1)) ;;
esac
if [ $# -gt 0 ]; then wanted=$(of "$@"); else wanted=$whole; fi

prepare_machine
# What a result is of: all that is installed, the machine, the tests' common classes, and the class itself.
product=$( (find */src/main */pom.xml pom.xml scripts/stage.sh scripts/train.sh scripts/StackMaps.java scripts/calls -type f -print0 | sort -z | xargs -0 sha256sum; echo "$image") | sha256sum)
commit=$(git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
declare -A keys
for module in $modules; do
  common=$(find $module/src/test -type f ! -name '*IT.java' ! -name '*Test.java' -print0 | sort -z | xargs -0 sha256sum)
  for entry in $(grep "^$module/" <<<"$wanted"); do
    class=${entry#*/}
    class=${class%%#*}
    keys[$entry]=$(echo "$product $common $(sha256sum <"$module/src/test/java/${class//.//}.java")" | sha256sum | cut -c1-12)
  done
done
directory() { echo "$kept/${1/\//:}"; }
has_passed() { # ENTRY
  local code key
  read -r code _ key _ 2>/dev/null <"$(directory "$1")/verdict" || return 1
  [ "$code $key" = "0 ${keys[$1]}" ]
}

new=() again=()
for entry in $wanted; do
  if [ ! -e "$(directory "$entry")" ]; then new+=("$entry")
  elif [ $# -gt 0 ] || [ -n "${ANEW:-}" ] || ! has_passed "$entry"; then again+=("$entry"); fi
done
left=("${new[@]}" "${again[@]}")

# Keeps what the machine has returned so far, and takes it off the list.
collect() {
  local returned=$run/returned name entry rest=()
  [ -e "$run/results.tar" ] || return 0
  rm -rf "$returned"
  mkdir -p "$returned" "$kept"
  tar -xif "$run/results.tar" -C "$returned" 2>/dev/null || true # the last one may be cut off
  for entry in "${left[@]}"; do
    name=${entry/\//:}
    if [ -s "$returned/$name/verdict" ]; then
      echo "$(cat "$returned/$name/verdict") ${keys[$entry]} $commit" >"$returned/$name/verdict"
      rm -rf "${kept:?}/$name"
      mv "$returned/$name" "$kept/$name"
    else
      rest+=("$entry")
    fi
  done
  left=("${rest[@]}")
  rm -f "$run/results.tar"
}
trap 'collect; clear_away' EXIT

while [ ${#left[@]} -gt 0 ]; do
  before=${#left[@]} first=${left[0]} code=0
  boot "CLASSES='${left[*]}'" "LIMIT='$limit'" TAG= GO_ON=
  await silent $((limit + 600)) || code=$?
  cp "$run/console" "$run/said"
  collect
  [ ${#left[@]} = "$before" ] || continue
  # the machine ended, or was ended, in its first class
  grep -qF "${first/\//:}: begins" "$run/said" || { echo "the virtual machine does not come to its tests: $code"; exit 1; }
  mkdir -p "$(directory "$first")"
  rm -rf "$(directory "$first")"/*
  cp "$run/said" "$(directory "$first")/output"
  echo "machine $limit ${keys[$first]} $commit" >"$(directory "$first")/verdict"
  left=("${left[@]:1}")
done

for entry in $wanted; do echo "$entry ${keys[$entry]}"; done >"$run/wanted"
[ $# -gt 0 ] || sed '/^#/d' scripts/vm/left-out >"$run/left-out"
status=0
scripts/vm/table.py "$machine" "$run/wanted" "$run/left-out" || status=1
exit $status

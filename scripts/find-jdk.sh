#!/usr/bin/env bash
# Prints the home of a JDK 25 or newer: JAVA_HOME's, or one under /usr/lib/jvm.
for home in "${JAVA_HOME:-}" /usr/lib/jvm/*; do
  [ -x "$home/bin/javac" ] || continue
  version=$("$home/bin/javac" -version 2>&1 | sed 's/[^0-9]*\([0-9]*\).*/\1/')
  [ "${version:-0}" -ge 25 ] && { readlink -f "$home"; exit 0; }
done
exit 1

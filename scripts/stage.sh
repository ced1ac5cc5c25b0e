#!/usr/bin/env bash
# Lays an installation out under PREFIX: bin/jrun (the helper) and lib/jrun (the engine).
set -euo pipefail
cd "$(dirname "$0")/.."
prefix=$(mkdir -p "$1" && cd "$1" && pwd)
java=$JAVA_HOME/bin/java
# A running engine has the old files mapped, so nothing is written over: a new directory takes their place.
final=$prefix/lib/jrun
lib=$final.new
rm -rf "$lib"
mkdir -p "$prefix/bin" "$lib/native"
install -m 755 "build/helper/$(uname -m)/jrun" "$prefix/bin/jrun.new"
mv "$prefix/bin/jrun.new" "$prefix/bin/jrun"
ln -sfn jrun "$prefix/bin/simplecni"
ln -sfn jrun "$prefix/bin/containerd-shim-jrun-v2"
# the class path: the project's own modules in one jar, the libraries beside it
classes=build/classes
rm -rf "$classes" && mkdir -p "$classes"
for module in specs kernel cni rootfs-tools runtime; do
  [ -d "$module/target/classes" ] && cp -r "$module/target/classes/." "$classes/"
done
version=$(sed -n 's|^  <version>\(.*\)</version>$|\1|p' pom.xml | head -n 1)
commit=$(git rev-parse --short=12 HEAD 2>/dev/null) && version+="+$commit"
printf 'Implementation-Version: %s\n' "$version" > build/manifest
# The JDK finds one more provider of a service than it takes: where both are in the first two jars, no other is opened for them, and a jar's
# directory is in the heap as long as the jar is open. The classes themselves are in the cache.
"$JAVA_HOME/bin/jar" --create --no-compress --file "$lib/services.jar" -C "$classes" META-INF
cp "$lib/services.jar" "$lib/services-again.jar"
mvn -B -q -pl runtime dependency:copy-dependencies -DincludeScope=runtime \
  -DexcludeGroupIds=io.jrun,org.jspecify -DoutputDirectory="$lib"
asm=$(echo "$lib"/asm-[0-9]*.jar)
# lambdas, records and switches as ordinary classes and calls, which an AOT cache holds more cheaply than what the JVM makes of them (decision 87)
"$java" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$asm" scripts/calls/DirectCalls.java "$classes" "$lib"/*.jar
"$JAVA_HOME/bin/jar" --create --no-compress --file "$lib/jrun.jar" --manifest build/manifest -C "$classes" .
# classes of old compilers made fit for the AOT cache, which takes none of them as they are
(cd "$lib" && "$java" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$asm" "$OLDPWD/scripts/StackMaps.java" ./*.jar)
# jffi's native library unpacked, so that no start does it again
arch=$(uname -m)
(cd "$lib/native" && "$JAVA_HOME/bin/jar" xf "$lib"/jffi-*-native.jar "jni/$arch-Linux/libjffi-1.2.so")
# what only a network with nodes in etcd or a policy in YAML loads is last: a search for any other class does not open it
rare='^(jetcd|grpc|vertx|netty|guava|failureaccess|failsafe|perfmark|slf4j|snakeyaml)-'
classpath=services.jar:services-again.jar:jrun.jar
names() { ls "$lib" | grep '\.jar$' | grep -Ev '^(jrun\.jar|services(-again)?\.jar|jffi-.*-native\.jar)$'; }
for name in $(names | grep -Ev "$rare") $(names | grep -E "$rare"); do classpath+=":$name"; done
classpath=$(sed 's|\([^:]*\)|%/\1|g' <<<"$classpath")
# Methods are compiled after 16 calls, where the JVM's own choice is 200: most run once per command. The first twenty commands share the CPUs
# with the compiler for it and take a fifth more time; the second hundred take a seventh less, and those with a network still more.
# Machine code is small: little is inlined, and of what was compiled since, the collection that the JVM makes for each 1.5 % of new code (0.4 MiB)
# drops what nobody has called between two of them (decision 56).
# JNR-FFI calls libraries by reflection, and has no assembler of classes and of machine code in the cache for it (decision 56).
# Without the machine code that the cache would hold since JDK 25: it is for this processor, and on one with fewer instructions the engine
# would end with SIGILL (an installation that is copied, a virtual machine that moves). It saves no measurable time.
write_arguments() {
  printf '%s\n' "$java" -XX:+UseSerialGC -Xms6m -Xmn4m -XX:SurvivorRatio=30 -XX:TLABSize=32k -XX:-ResizeTLAB -Xmx64m -Xss512k -XX:TieredStopAtLevel=1 \
    -XX:Tier3InvocationThreshold=15 -XX:Tier0InvokeNotifyFreqLog=3 \
    -XX:C1MaxInlineSize=25 -XX:NmethodSweepActivity=2000 -XX:SweeperThreshold=1.5 \
    -XX:MinHeapFreeRatio=5 -XX:MaxHeapFreeRatio=10 -XX:-ShrinkHeapInSteps \
    -XX:-UsePerfData -XX:+ErrorFileToStderr -XX:-CreateCoredumpOnCrash -XX:ReservedCodeCacheSize=24m \
    -XX:+UnlockDiagnosticVMOptions -XX:-AOTAdapterCaching -XX:-AOTStubCaching -XX:-AOTRecordTraining -XX:-AOTReplayTraining \
    -XX:ArchiveRelocationMode=0 -XX:StringTableSize=1024 -XX:+UnlockExperimentalVMOptions -XX:SymbolTableSize=1024 \
    -XX:CodeCacheSegmentSize=32 -XX:CodeEntryAlignment=16 \
    -XX:StackShadowPages=10 -XX:AsyncDeflationInterval=0 -XX:GuaranteedAsyncDeflationInterval=600000 -Djdk.nio.maxCachedBufferSize=8192 \
    --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow -Dpicocli.disable.closures=true -Djdk.reflect.useNativeAccessorOnly=true -Djnr.ffi.asm.enabled=false \
    "-Djffi.boot.library.path=%/native/jni/$arch-Linux" "-Djrun.library=%" "$@" \
    -cp "$classpath" io.jrun.runtime.engine.Main > "$lib/engine.argv"
}
rm -rf "$final.old"
[ ! -e "$final" ] || mv "$final" "$final.old"
mv "$lib" "$final"
rm -rf "$final.old"
lib=$final
write_arguments -XX:AOTCacheOutput=%/jrun.aot -Djrun.engine.idleMillis=60000 -Djrun.engine.lookMillis=150
scripts/train.sh "$prefix/bin/jrun"
# What was just written is cached in pieces of up to 2 MiB, and Linux 6.18 maps one as a whole where a byte of it is touched.
[ ! -e "$lib/jrun.aot" ] || { sync "$lib/jrun.aot" && dd if="$lib/jrun.aot" iflag=nocache count=0 status=none; }
if [ -s "$lib/jrun.aot" ]; then write_arguments -XX:AOTCache=%/jrun.aot -Xlog:aot=off -Xlog:cds=off
else echo "warning: no AOT cache was made; the first command will be slower" >&2; write_arguments -Xlog:cds=off; fi

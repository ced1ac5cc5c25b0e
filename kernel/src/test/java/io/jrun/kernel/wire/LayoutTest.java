package io.jrun.kernel.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.DescriptorCall;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.MountCall;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.kernel.call.SocketCall;
import io.jrun.kernel.call.Syscall;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class LayoutTest {
  private static final long BASE = 0x2000000000L;
  private static final int RECORDS = 192;
  private static final int RESULT = Protocol.KIND_RESULT;
  private static final int PASSED = Protocol.KIND_PASSED;

  private final Layout layout = new Layout(BASE, RECORDS, new byte[64]);

  private Layout.Area lay(Syscall<?> call) {
    Layout.Area area = layout.call(call, 0);
    layout.finish();
    return area;
  }

  private long argument(int index) {
    return layout.getLong(8 * index);
  }

  private int at(long pointer) {
    assertThat(pointer).isBetween(BASE + RECORDS, BASE + layout.size());
    return (int) (pointer - BASE);
  }

  private long word(long pointer) {
    return layout.getLong(at(pointer));
  }

  private String string(long pointer) {
    int start = at(pointer);
    int end = start;
    while (layout.memory()[end] != 0) end++;
    return new String(layout.memory(), start, end - start, StandardCharsets.UTF_8);
  }

  @Test
  void nothingIsLeftOfWhatTheMemoryHeldBefore() {
    for (int size : new int[] {4096, RECORDS + 16, 8}) {
      byte[] used = new byte[size];
      Arrays.fill(used, (byte) 0x55);
      assertThat(laidOut(used)).as("%d bytes", size).isEqualTo(laidOut(new byte[size]));
    }
  }

  private static byte[] laidOut(byte[] memory) {
    Layout layout = new Layout(BASE, RECORDS, memory);
    layout.call(new ProcessCall.Chdir("/a"), 0); // behind it are bytes that nobody writes
    layout.call(new ProcessCall.Chdir("/tmp/ü"), 48);
    layout.call(new SocketCall.Sendmsg(Descriptor.STDIN, new byte[] {1, 2, 3}, List.of(4), 0), 96);
    layout.finish();
    return Arrays.copyOf(layout.memory(), layout.size());
  }

  @Test
  void pointersAreAbsoluteAndStringsEndWithNul() {
    lay(new FileCall.Openat(Descriptor.CWD, "/tmp/ü", FileCall.O_CLOEXEC, 0644, false));
    assertThat(argument(0)).isEqualTo(-100);
    assertThat(string(argument(1))).isEqualTo("/tmp/ü");
    assertThat(argument(2)).isEqualTo(FileCall.O_CLOEXEC);
    assertThat(argument(3)).isEqualTo(0644);
    assertThat(layout.kinds()).isZero();
  }

  @Test
  void nullIsTheNullPointer() {
    lay(new MountCall.Fsconfig(new Descriptor.Known(3), MountCall.FSCONFIG_CMD_CREATE, null, null));
    assertThat(List.of(argument(2), argument(3))).containsOnly(0L);
  }

  @Test
  void structuresLieInMemoryOrder() {
    lay(
        new FileCall.Openat2(
            Descriptor.CWD, "a", FileCall.O_PATH, 0600, FileCall.RESOLVE_IN_ROOT, false));
    long how = argument(2);
    assertThat(List.of(word(how), word(how + 8), word(how + 16)))
        .containsExactly((long) FileCall.O_PATH, 0600L, (long) FileCall.RESOLVE_IN_ROOT);
  }

  @Test
  void stringArraysEndWithNull() {
    lay(
        new ProcessCall.Execveat(
            Descriptor.CWD, "/bin/sh", List.of("sh", "-c", ""), List.of("A=b"), 0));
    long argv = argument(2);
    assertThat(List.of(string(word(argv)), string(word(argv + 8)), string(word(argv + 16))))
        .containsExactly("sh", "-c", "");
    assertThat(word(argv + 24)).isZero();
    assertThat(string(word(argument(3)))).isEqualTo("A=b");
    assertThat(word(argument(3) + 8)).isZero();
  }

  @Test
  void outputLiesBehindAllDataAligned() {
    Layout.Area first = layout.call(new FileCall.Read(Descriptor.STDIN, 5), 0);
    Layout.Area second = layout.call(new FileCall.Read(Descriptor.STDIN, 100), 48);
    layout.call(new FileCall.Openat(Descriptor.CWD, "later", 0, 0, false), 96);
    layout.call(new FileCall.Read(Descriptor.STDIN, 5), 144);
    layout.finish();
    long out = BASE + layout.outOffset();
    assertThat(first).isEqualTo(new Layout.Area(0, 16));
    assertThat(second).isEqualTo(new Layout.Area(16, 112));
    assertThat(layout.getLong(48 + 8)).isEqualTo(out + 16);
    assertThat(layout.getLong(144 + 8)).isEqualTo(out + 16 + 112);
    assertThat(argument(1)).isEqualTo(out);
    assertThat(layout.outSize()).isEqualTo(16 + 112 + 16);
    assertThat(out % 16).isZero();
    assertThat(layout.outOffset()).isGreaterThanOrEqualTo(layout.size());
  }

  @Test
  void outputPointersInsideStructuresAreFoundToo() {
    Layout.Area area = lay(new SocketCall.Recvmsg(Descriptor.STDIN, 100, 0));
    long out = BASE + layout.outOffset();
    long message = argument(1);
    long iovec = word(message + 16);
    assertThat(word(iovec)).isEqualTo(out);
    assertThat(word(iovec + 8)).isEqualTo(100);
    assertThat(word(message + 24)).isEqualTo(1);
    assertThat(word(message + 32)).isEqualTo(out + 112);
    assertThat(area.length()).isEqualTo(112 + 272);
  }

  @Test
  void kindsTellResultsAndPassedDescriptorsFromValues() {
    lay(new MountCall.MoveMount(new Descriptor.ResultOf(7), new Descriptor.Passed(2)));
    assertThat(layout.kinds()).isEqualTo(RESULT | PASSED << 4);
    assertThat(List.of(argument(0), argument(2))).containsExactly(7L, 2L);
    layout.call(new FileCall.Close(new Descriptor.Known(7)), 0);
    assertThat(layout.kinds()).isZero();
  }

  @Test
  void aStructureCannotHoldAResult() {
    DescriptorCall.Poll call = new DescriptorCall.Poll(new Descriptor.ResultOf(0), 1, 0);
    assertThatThrownBy(() -> lay(call))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("fd");
  }

  @Test
  void memoryGrowsAndKeepsWhatItHolds() {
    byte[] big = new byte[100_000];
    new Random(1).nextBytes(big);
    layout.call(new FileCall.Openat(Descriptor.CWD, "before", 0, 0, false), 0);
    layout.call(new FileCall.Write(Descriptor.STDOUT, big), 48);
    layout.finish();
    assertThat(string(argument(1))).isEqualTo("before");
    int start = at(layout.getLong(48 + 8));
    assertThat(java.util.Arrays.copyOfRange(layout.memory(), start, start + big.length))
        .isEqualTo(big);
  }
}

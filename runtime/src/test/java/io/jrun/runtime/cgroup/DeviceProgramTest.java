package io.jrun.runtime.cgroup;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrun.specs.runtime.Resources;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class DeviceProgramTest {
  private static final int R = 2;
  private static final int W = 4;
  private static final int M = 1;

  @Test
  void withoutRulesOnlyWhatEveryContainerNeedsIsAllowed() {
    byte[] program = program("[]");
    assertThat(allows(program, 'c', 1, 3, R | W)).isTrue();
    assertThat(allows(program, 'c', 136, 5, R | W)).isTrue();
    assertThat(allows(program, 'b', 8, 0, M)).isTrue();
    assertThat(allows(program, 'b', 8, 0, R)).isFalse();
    assertThat(allows(program, 'c', 1, 1, R)).isFalse();
    assertThat(allows(program, 'b', 1, 3, R)).isFalse();
  }

  @Test
  void severalRulesGrantTogether() {
    byte[] program =
        program(
            "[{\"allow\":true,\"type\":\"c\",\"major\":10,\"minor\":1,\"access\":\"r\"},{\"allow\":true,\"type\":\"c\",\"major\":10,\"access\":\"w\"}]");
    assertThat(allows(program, 'c', 10, 1, R | W | M)).isTrue();
    assertThat(allows(program, 'c', 10, 2, R | W)).isFalse();
  }

  @Test
  void theLastMatchingRuleWins() {
    byte[] program =
        program(
            "[{\"allow\":true},{\"allow\":false,\"type\":\"b\",\"major\":8,\"access\":\"w\"},{\"allow\":true,\"type\":\"b\",\"major\":8,\"minor\":3,\"access\":\"w\"}]");
    assertThat(allows(program, 'b', 8, 0, R)).isTrue();
    assertThat(allows(program, 'b', 8, 0, R | W)).isFalse();
    assertThat(allows(program, 'b', 8, 3, R | W)).isTrue();
    assertThat(allows(program, 'c', 200, 3, R | W | M)).isTrue();
    assertThat(allows(program("[{\"allow\":true},{\"allow\":false}]"), 'c', 200, 3, R)).isFalse();
  }

  private static byte[] program(String devices) {
    return DeviceProgram.of(
        Resources.read(("{\"devices\":" + devices + "}").getBytes(StandardCharsets.UTF_8))
            .devices());
  }

  /// Runs the program as the kernel would, refusing instructions it has no need of.
  private static boolean allows(byte[] program, char type, int major, int minor, int access) {
    ByteBuffer code = ByteBuffer.wrap(program).order(ByteOrder.nativeOrder());
    int[] context = {access << 16 | (type == 'b' ? 1 : 2), major, minor};
    long[] r = new long[11];
    for (int at = 0; ; at++) {
      int operation = Byte.toUnsignedInt(code.get(8 * at));
      int target = code.get(8 * at + 1) & 15;
      int source = code.get(8 * at + 1) >> 4 & 15;
      int offset = code.getShort(8 * at + 2);
      int immediate = code.getInt(8 * at + 4);
      switch (operation) {
        case 0x61 -> r[target] = Integer.toUnsignedLong(context[offset / 4]);
        case 0x57 -> r[target] &= immediate;
        case 0x77 -> r[target] >>>= immediate;
        case 0xb7 -> r[target] = immediate;
        case 0xbf -> r[target] = r[source];
        case 0x55 -> at += r[target] != immediate ? offset : 0;
        case 0x15 -> at += r[target] == immediate ? offset : 0;
        case 0x95 -> {
          return r[0] != 0;
        }
        default -> throw new AssertionError("instruction " + Integer.toHexString(operation));
      }
    }
  }
}

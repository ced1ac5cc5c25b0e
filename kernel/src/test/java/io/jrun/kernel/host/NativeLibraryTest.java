package io.jrun.kernel.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class NativeLibraryTest {
  private final NativeLibrary libc =
      NativeLibrary.open("libc.so.6", "labs", "atoi", "strtol", "close").orElseThrow();

  @Test
  void longsAndIntsGoBothWays() {
    assertThat(libc.call("labs", Long.MIN_VALUE + 1)).isEqualTo(Long.MAX_VALUE);
    assertThat(libc.callInt("atoi", "-7")).isEqualTo(-7);
  }

  @Test
  void pointersOfBuffersAreRead() {
    ByteBuffer text = ByteBuffer.allocateDirect(8);
    text.put("zz7f\0".getBytes(StandardCharsets.US_ASCII)).position(2);
    assertThat(libc.call("strtol", NativeLibrary.address(text.slice()), 0, 16)).isEqualTo(0x7f);
    assertThat(NativeLibrary.text(NativeLibrary.address(text))).isEqualTo("zz7f");
  }

  @Test
  void textsMayBeAnyUnicode() {
    ByteBuffer text = ByteBuffer.allocateDirect(16);
    text.put("größe €\0".getBytes(StandardCharsets.UTF_8));
    assertThat(NativeLibrary.text(NativeLibrary.address(text))).isEqualTo("größe €");
    assertThat(NativeLibrary.text(0)).isEmpty();
  }

  @Test
  void theErrnoOfACallIsKept() {
    assertThat(libc.callInt("close", -1)).isEqualTo(-1);
    assertThat(NativeLibrary.errno()).isEqualTo(9);
  }

  @Test
  void aLibraryOfAnotherVersionIsNone() {
    assertThat(NativeLibrary.open("libc.so.6", "labs", "jrun_has_no_such")).isEmpty();
    assertThat(NativeLibrary.open("libjrun-has-no-such.so.1")).isEmpty();
    assertThatThrownBy(() -> libc.call("getpid")).hasMessageContaining("getpid");
  }
}

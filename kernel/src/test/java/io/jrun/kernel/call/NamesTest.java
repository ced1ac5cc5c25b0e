package io.jrun.kernel.call;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;

class NamesTest {
  private static final long SEED = 1;

  @Test
  void anyBytesSurvive() {
    Random random = new Random(SEED);
    for (int round = 0; round < 20_000; round++) {
      byte[] bytes = new byte[random.nextInt(12)];
      random.nextBytes(bytes);
      if (random.nextBoolean()) for (int i = 0; i < bytes.length; i++) bytes[i] &= 0x7f;
      assertThat(Names.encode(Names.decode(bytes))).as("round %d", round).isEqualTo(bytes);
    }
  }

  @Test
  void utf8IsTextAndOtherBytesAreLoneSurrogates() {
    String text = "caf\u00e9 \u20ac \ud83d\ude00";
    assertThat(Names.decode(text.getBytes(StandardCharsets.UTF_8))).isEqualTo(text);
    assertThat(Names.encode(text)).isEqualTo(text.getBytes(StandardCharsets.UTF_8));
    assertThat(Names.decode(new byte[] {'a', (byte) 0xe9, 'b'})).isEqualTo("a\udce9b");
    assertThat(Names.decode(new byte[] {(byte) 0xc3})).isEqualTo("\udcc3");
  }
}

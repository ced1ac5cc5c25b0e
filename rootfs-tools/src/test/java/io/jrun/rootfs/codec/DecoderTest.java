package io.jrun.rootfs.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jrun.rootfs.RootfsException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;

class DecoderTest {
  private static final long SEED = 20260102;

  /// Gives bytes in parts of random sizes.
  private static Encoded parts(byte[] bytes, Random random) {
    return new Encoded() {
      private int at;

      @Override
      protected int read(ByteBuffer into) {
        int count = Math.min(into.remaining(), Math.min(bytes.length - at, 1 + random.nextInt(40)));
        into.put(bytes, at, count);
        at += count;
        return count;
      }
    };
  }

  private static byte[] decode(Decoder decoder, Random random) throws IOException {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    while (true) {
      ByteBuffer into = ByteBuffer.allocateDirect(1 + random.nextInt(5000));
      decoder.fill(into);
      boolean ended = into.hasRemaining();
      byte[] bytes = new byte[into.position()];
      into.flip().get(bytes);
      all.writeBytes(bytes);
      if (ended) return all.toByteArray();
    }
  }

  private static byte[] content(Random random, int size) {
    byte[] content = new byte[size];
    for (int i = 0; i < size; i++) content[i] = (byte) ('a' + random.nextInt(1 + i % 20));
    return content;
  }

  private static byte[] gzip(byte[] content) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
      gzip.write(content);
    }
    return out.toByteArray();
  }

  private static List<Function<Encoded, Decoder>> gzips() {
    assumeTrue(Isal.LOADED.isPresent(), "libisal.so.2 is not installed");
    return List.of(Gzip.ByZlib::new, from -> new Gzip.ByIsal(Isal.LOADED.orElseThrow(), from));
  }

  @Test
  void gzipMembersOneBehindAnotherAreOneStreamHoweverTheyAreCut() throws IOException {
    for (Function<Encoded, Decoder> decoder : gzips()) {
      Random random = new Random(SEED);
      for (int round = 0; round < 200; round++) {
        ByteArrayOutputStream encoded = new ByteArrayOutputStream();
        ByteArrayOutputStream plain = new ByteArrayOutputStream();
        for (int member = random.nextInt(4); member >= 0; member--) {
          byte[] content = content(random, random.nextInt(20_000));
          plain.writeBytes(content);
          encoded.writeBytes(gzip(content));
        }
        encoded.writeBytes(new byte[random.nextInt(3) * 100]);
        byte[] decoded = decode(decoder.apply(parts(encoded.toByteArray(), random)), random);
        assertThat(decoded).as("round %d of seed %d", round, SEED).isEqualTo(plain.toByteArray());
      }
    }
  }

  @Test
  void gzipCutAnywhereIsTruncated() throws IOException {
    byte[] whole = gzip(content(new Random(SEED), 3000));
    for (Function<Encoded, Decoder> decoder : gzips()) {
      for (int length = 1; length < whole.length; length++) {
        Random random = new Random(length);
        Decoder cut = decoder.apply(parts(Arrays.copyOf(whole, length), random));
        assertThatThrownBy(() -> decode(cut, random))
            .as("%d of %d bytes", length, whole.length)
            .isInstanceOf(RootfsException.class)
            .hasMessageContaining("truncated");
      }
    }
  }

  @Test
  void aWrongChecksumIsDamage() throws IOException {
    byte[] whole = gzip(content(new Random(SEED), 3000));
    whole[whole.length - 6] ^= 1;
    for (Function<Encoded, Decoder> decoder : gzips()) {
      Random random = new Random(SEED);
      Decoder damaged = decoder.apply(parts(whole, random));
      assertThatThrownBy(() -> decode(damaged, random)).hasMessageContaining("damaged");
    }
  }

  @Test
  void otherBytesBehindGzipAreDamage() throws IOException {
    byte[] whole = gzip(content(new Random(SEED), 300));
    byte[] more = Arrays.copyOf(whole, whole.length + 1);
    more[whole.length] = 'x';
    for (Function<Encoded, Decoder> decoder : gzips()) {
      Random random = new Random(SEED);
      Decoder damaged = decoder.apply(parts(more, random));
      assertThatThrownBy(() -> decode(damaged, random)).hasMessageContaining("behind its end");
    }
  }

  @Test
  void digestsOfTheLibraryAndOfTheJdkAgree() {
    ByteBuffer bytes = ByteBuffer.allocateDirect(5000);
    bytes.put(content(new Random(SEED), 5000)).flip();
    for (String algorithm : List.of("sha256", "sha512")) {
      Digest java = new Digest.JavaDigest(algorithm);
      Digest fast = Digest.of(algorithm);
      java.update(bytes);
      java.update(bytes.slice(100, 7));
      fast.update(bytes);
      fast.update(bytes.slice(100, 7));
      assertThat(fast.hex()).isEqualTo(java.hex());
      fast.close();
    }
  }

  @Test
  void formatsAreToldByTheirFirstBytes() {
    assertThat(Compression.of(new byte[] {0x1f, (byte) 0x8b, 8})).isEqualTo(Compression.GZIP);
    assertThat(Compression.of(new byte[] {0x28, (byte) 0xb5, 0x2f, (byte) 0xfd}))
        .isEqualTo(Compression.ZSTD);
    assertThat(Compression.of(new byte[] {(byte) 0xfd, '7', 'z', 'X', 'Z', 0}))
        .isEqualTo(Compression.XZ);
    assertThat(Compression.of(new byte[] {'B', 'Z', 'h', '9'})).isEqualTo(Compression.BZIP2);
    assertThat(Compression.of(new byte[] {'B'})).isEqualTo(Compression.NONE);
    assertThat(Compression.of(new byte[0])).isEqualTo(Compression.NONE);
  }
}

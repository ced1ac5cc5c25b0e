package io.jrun.rootfs.stream;

import io.jrun.rootfs.RootfsException;
import io.jrun.rootfs.codec.Compression;
import io.jrun.rootfs.codec.Decoder;
import java.io.IOException;
import java.nio.ByteBuffer;

/// Decodes an origin for its digests only.
public final class OriginDecoding {
  private OriginDecoding() {}

  /// Throws where a digest is not the expected one.
  public static void check(
      Origin origin, Compression compression, Verified encoded, Verified plain) {
    EncodedOrigin from = new EncodedOrigin(origin, new byte[0], encoded);
    ByteBuffer chunk = ByteBuffer.allocateDirect(1 << 20);
    try (Decoder decoder = Decoder.of(compression, from)) {
      do {
        decoder.fill(chunk.clear());
        plain.update(chunk.flip());
      } while (chunk.limit() == chunk.capacity());
      from.drain();
    } catch (IOException e) {
      throw new RootfsException(String.valueOf(e.getMessage()), e);
    }
    encoded.check();
    plain.check();
  }
}

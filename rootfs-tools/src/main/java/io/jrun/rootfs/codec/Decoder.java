package io.jrun.rootfs.codec;

import io.jrun.rootfs.DamagedException;
import java.io.IOException;
import java.nio.ByteBuffer;

/// Turns encoded bytes into plain ones.
public interface Decoder extends AutoCloseable {
  /// Fills the direct buffer up to its limit, or up to the end of the stream.
  void fill(ByteBuffer into) throws IOException;

  @Override
  void close();

  static Decoder of(Compression compression, Encoded from) {
    return switch (compression) {
      case NONE -> new Plain(from);
      case GZIP -> Gzip.decoder(from);
      case ZSTD -> new Zstd(from);
      case XZ -> XzAndBzip2.xz(from);
      case BZIP2 -> XzAndBzip2.bzip2(from);
    };
  }

  static DamagedException truncated(Compression compression) {
    return new DamagedException("the " + compression.text() + " stream is truncated");
  }

  static DamagedException damaged(Compression compression, String why) {
    return new DamagedException("the " + compression.text() + " stream is damaged: " + why);
  }

  /// What is not compressed.
  final class Plain implements Decoder {
    private final Encoded from;

    Plain(Encoded from) {
      this.from = from;
    }

    @Override
    public void fill(ByteBuffer into) {
      ByteBuffer left = from.bytes();
      while (into.hasRemaining() && left.hasRemaining()) {
        int count = Math.min(into.remaining(), left.remaining());
        into.put(left.slice(left.position(), count));
        left.position(left.position() + count);
        left = into.hasRemaining() ? from.bytes() : left;
      }
    }

    @Override
    public void close() {}
  }
}

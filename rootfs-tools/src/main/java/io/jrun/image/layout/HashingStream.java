package io.jrun.image.layout;

import io.jrun.rootfs.codec.DirectOutput;
import io.jrun.specs.image.Digest;
import java.io.IOException;
import java.nio.ByteBuffer;

/// Counts and digests what is written through it.
final class HashingStream extends DirectOutput {
  private final DirectOutput to;
  private final io.jrun.rootfs.codec.Digest running = io.jrun.rootfs.codec.Digest.of("sha256");
  private final ByteBuffer buffer = ByteBuffer.allocateDirect(1 << 16);
  private long count;

  HashingStream(DirectOutput to) {
    this.to = to;
  }

  @Override
  public void write(byte[] bytes, int offset, int length) throws IOException {
    to.write(bytes, offset, length);
    count += length;
    while (length > 0) {
      int part = Math.min(length, buffer.capacity());
      running.update(buffer.clear().put(bytes, offset, part).flip());
      offset += part;
      length -= part;
    }
  }

  @Override
  public void write(ByteBuffer direct) throws IOException {
    count += direct.remaining();
    running.update(direct);
    to.write(direct);
  }

  @Override
  public void flush() throws IOException {
    to.flush();
  }

  @Override
  public void close() throws IOException {
    to.close();
  }

  long count() {
    return count;
  }

  /// Of all that was written; nothing may follow.
  Digest digest() {
    String hex = running.hex();
    running.close();
    return new Digest("sha256", hex);
  }
}

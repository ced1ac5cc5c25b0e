package io.jrun.rootfs.stream;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;

/// Copies from descriptors to a stream, through buffers that are made once.
public final class Copier {
  private final OutputStream out;
  private final ByteBuffer chunk = ByteBuffer.allocateDirect(1 << 20);
  private final byte[] copied = new byte[1 << 16];

  public Copier(OutputStream out) {
    this.out = out;
  }

  /// False where there was less than that to read.
  ///
  /// @param verified is told all of it
  public boolean copy(Origin from, long size, Verified verified) throws IOException {
    long left = size;
    while (left > 0) {
      int count = from.read(chunk.clear());
      if (count <= 0) return false;
      chunk.flip();
      verified.update(chunk.duplicate());
      while (chunk.hasRemaining()) {
        int part = Math.min(copied.length, chunk.remaining());
        chunk.get(copied, 0, part);
        out.write(copied, 0, part);
      }
      left -= count;
    }
    return true;
  }
}

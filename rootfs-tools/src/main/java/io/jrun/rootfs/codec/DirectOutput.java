package io.jrun.rootfs.codec;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;

/// A stream that takes bytes which lie outside of the heap, without a copy where it can.
public abstract class DirectOutput extends OutputStream {
  private static final int CHUNK = 1 << 16;

  private byte[] chunk = {};

  /// Another stream, to which all is copied.
  public static DirectOutput to(OutputStream other) {
    return new DirectOutput() {
      @Override
      public void write(byte[] bytes, int offset, int length) throws IOException {
        other.write(bytes, offset, length);
      }

      @Override
      public void flush() throws IOException {
        other.flush();
      }

      @Override
      public void close() throws IOException {
        other.close();
      }
    };
  }

  /// Writes what remains in the direct buffer, which is at its limit afterwards.
  public void write(ByteBuffer direct) throws IOException {
    if (chunk.length == 0) chunk = new byte[CHUNK];
    while (direct.hasRemaining()) {
      int part = Math.min(CHUNK, direct.remaining());
      direct.get(chunk, 0, part);
      write(chunk, 0, part);
    }
  }

  @Override
  public abstract void write(byte[] bytes, int offset, int length) throws IOException;

  @Override
  public void write(int b) throws IOException {
    write(new byte[] {(byte) b}, 0, 1);
  }
}

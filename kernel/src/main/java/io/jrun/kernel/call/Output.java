package io.jrun.kernel.call;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/// What one call wrote, its output areas one behind another, each aligned to 16 bytes.
public record Output(byte[] bytes, int offset, int length) {
  public static final Output NONE = new Output(new byte[0], 0, 0);

  public byte[] bytes(int size) {
    if (size < 0 || size > length)
      throw new IllegalArgumentException("a call wrote " + size + " bytes into " + length);
    return Arrays.copyOfRange(bytes, offset, offset + size);
  }

  public ByteBuffer buffer() {
    return ByteBuffer.wrap(bytes, offset, length).slice().order(ByteOrder.nativeOrder());
  }
}

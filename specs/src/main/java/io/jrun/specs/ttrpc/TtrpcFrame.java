package io.jrun.specs.ttrpc;

import java.nio.ByteBuffer;

/// A frame: a header of 10 bytes (length of the data, stream id, type, flags; big-endian), then the
/// data, at most 4 MiB.
public record TtrpcFrame(int stream, int type, int flags, byte[] data) {
  public static final int HEADER = 10;
  public static final int LIMIT = 4 << 20;
  public static final int REQUEST = 1;
  public static final int RESPONSE = 2;
  public static final int DATA = 3;

  /// @throws IllegalArgumentException where the length is not that of the bytes
  public static TtrpcFrame read(byte[] bytes) {
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    if (bytes.length < HEADER || buffer.getInt(0) != bytes.length - HEADER)
      throw new IllegalArgumentException("a frame's length is not what it says");
    byte[] data = new byte[bytes.length - HEADER];
    buffer.get(HEADER, data);
    return new TtrpcFrame(buffer.getInt(4), buffer.get(8) & 0xff, buffer.get(9) & 0xff, data);
  }

  public byte[] toBytes() {
    return ByteBuffer.allocate(HEADER + data.length)
        .putInt(data.length)
        .putInt(stream)
        .put((byte) type)
        .put((byte) flags)
        .put(data)
        .array();
  }
}

package io.jrun.kernel.call;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/// A message and the descriptors that came with it; no bytes at end of file.
public record Received(byte[] bytes, List<Integer> descriptors) {
  public Received {
    descriptors = List.copyOf(descriptors);
  }

  static Received of(long count, int size, Output output) {
    ByteBuffer buffer = output.buffer();
    int control = (size + 15) / 16 * 16;
    List<Integer> descriptors = new ArrayList<>();
    long length = buffer.getLong(control);
    if (length > 16 && buffer.getInt(control + 8) == 1 && buffer.getInt(control + 12) == 1) {
      for (int at = 16; at < length; at += 4) descriptors.add(buffer.getInt(control + at));
    }
    return new Received(output.bytes((int) count), descriptors);
  }
}

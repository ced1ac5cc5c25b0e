package io.jrun.rootfs.codec;

import io.jrun.kernel.host.NativeLibrary;
import java.nio.ByteBuffer;

/// Where encoded bytes come from: a direct buffer that is filled again when it is empty.
public abstract class Encoded {
  private static final int SIZE = 1 << 20;

  /// Kept before the buffer's start, so that a decoder may give back bytes of the filling before.
  private static final int KEPT = 16;

  private final ByteBuffer memory = ByteBuffer.allocateDirect(KEPT + SIZE);
  private final ByteBuffer window = memory.slice(KEPT, SIZE);
  private final ByteBuffer current = memory.duplicate();
  private boolean ended;

  protected Encoded() {
    current.position(KEPT).limit(KEPT);
  }

  /// Reads some bytes to the buffer's position; 0 or less at the end.
  protected abstract int read(ByteBuffer into);

  /// What is there: at least one byte, or none at the end of the stream. A decoder moves the
  /// position.
  ByteBuffer bytes() {
    if (!current.hasRemaining() && !ended) refill();
    return current;
  }

  private void refill() {
    int end = current.position();
    for (int i = 0; i < KEPT && end - KEPT + i >= 0; i++) {
      memory.put(i, memory.get(end - KEPT + i));
    }
    window.clear();
    int count = read(window);
    if (count <= 0) {
      ended = true;
      // what was kept stays before the position
      current.position(KEPT).limit(KEPT);
    } else {
      current.clear().position(KEPT).limit(KEPT + count);
    }
  }

  /// The address of the buffer's position.
  long address() {
    return NativeLibrary.address(memory) + current.position();
  }

  /// The next byte without taking it, or -1.
  int peek() {
    ByteBuffer bytes = bytes();
    return bytes.hasRemaining() ? bytes.get(bytes.position()) & 0xff : -1;
  }

  int next() {
    ByteBuffer bytes = bytes();
    return bytes.hasRemaining() ? bytes.get() & 0xff : -1;
  }
}

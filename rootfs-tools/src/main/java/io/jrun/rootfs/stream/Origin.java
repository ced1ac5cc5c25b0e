package io.jrun.rootfs.stream;

import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.DescriptorCall;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.TreeCall;
import io.jrun.rootfs.RootfsException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.OptionalLong;

/// Bytes of a descriptor of the engine: all of a stream, or a range of a regular file.
public final class Origin implements AutoCloseable {
  private static final int POLLIN = 1;
  private static final int LOOK_MILLIS = 300;

  private final Kernel kernel;
  private final Optional<OwnedDescriptor> caller;
  private final OwnedDescriptor descriptor;
  private final long start;
  private final long size;
  private long at;

  private Origin(
      Kernel kernel,
      OwnedDescriptor descriptor,
      long start,
      long size,
      Optional<OwnedDescriptor> caller) {
    this.caller = caller;
    this.kernel = kernel;
    this.descriptor = descriptor;
    this.start = start;
    this.size = size;
  }

  /// Whatever can be read, once.
  ///
  /// @param caller hangs up when the caller ends, for whom nobody need wait for more
  public static Origin stream(Kernel kernel, OwnedDescriptor descriptor, OwnedDescriptor caller) {
    return new Origin(kernel, descriptor, -1, -1, Optional.of(caller));
  }

  /// A part of a regular file, which other origins may share.
  public static Origin range(Kernel kernel, OwnedDescriptor descriptor, long start, long size) {
    return new Origin(kernel, descriptor, start, size, Optional.empty());
  }

  public OwnedDescriptor descriptor() {
    return descriptor;
  }

  Kernel kernel() {
    return kernel;
  }

  /// Where a range starts in its file; empty for a stream.
  public Optional<Long> start() {
    return start < 0 ? Optional.empty() : Optional.of(start);
  }

  /// How long a range is; empty for a stream.
  public OptionalLong size() {
    return size < 0 ? OptionalLong.empty() : OptionalLong.of(size);
  }

  /// The first bytes of a range, at most so many; they are not taken.
  public byte[] first(int count) {
    ByteBuffer buffer = ByteBuffer.allocateDirect(count);
    long before = at;
    while (buffer.hasRemaining() && read(buffer) > 0) {}
    at = before;
    byte[] bytes = new byte[buffer.position()];
    buffer.flip().get(bytes);
    return bytes;
  }

  /// A range from its start again.
  public Origin again() {
    return range(kernel, descriptor, start, size);
  }

  /// A part of this range.
  public Origin part(long offset, long length) {
    if (offset < 0 || length < 0 || offset + length > size) {
      throw new IllegalArgumentException("not inside: " + offset + " " + length);
    }
    return range(kernel, descriptor, start + offset, length);
  }

  /// Waits until something can be read; throws when the caller is gone or the thread interrupted.
  private void await() {
    if (caller.isEmpty()) return;
    while (kernel.call(new DescriptorCall.Poll(descriptor.descriptor(), POLLIN, LOOK_MILLIS))
        == 0) {
      boolean isGone = kernel.call(new DescriptorCall.Poll(caller.get().descriptor(), 0, 0)) != 0;
      if (isGone || Thread.currentThread().isInterrupted()) {
        throw new RootfsException("nobody waits for the stream any more");
      }
    }
  }

  /// What it has beside its descriptor.
  @Override
  public void close() {
    caller.ifPresent(OwnedDescriptor::close);
  }

  /// Reads to the position of the direct buffer; 0 at the end.
  public int read(ByteBuffer into) {
    long address = MemorySegment.ofBuffer(into).address();
    while (true) {
      try {
        long count;
        if (start < 0) {
          await();
          count =
              kernel.call(
                  new TreeCall.ReadInto(descriptor.descriptor(), address, into.remaining()));
        } else {
          long most = Math.min(into.remaining(), size - at);
          if (most == 0) return 0;
          count =
              kernel.call(
                  new TreeCall.PreadInto(descriptor.descriptor(), address, most, start + at));
        }
        into.position(into.position() + (int) count);
        at += count;
        return (int) count;
      } catch (KernelException e) {
        if (!e.errno().equals(Errno.EINTR)) throw e;
      }
    }
  }
}

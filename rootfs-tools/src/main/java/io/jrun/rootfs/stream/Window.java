package io.jrun.rootfs.stream;

import io.jrun.kernel.Kernel;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.rootfs.IoFailure;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/// Memory that the engine fills and a writer process reads: slots of one memory file.
///
/// ```
///   producer thread                   writer process
///     decodes into a free slot  ──▶   writes parts of it to files
///         ▲                               │
///         └───────── the slot is free ◀───┘  when the writer's answers are there
/// ```
public final class Window implements AutoCloseable {
  /// Large against a system call, small against the processor's cache.
  static final int SLOT = 2 << 20;

  static final int SLOTS = 8;

  /// Where writers map it.
  static final long ADDRESS = 0x3000000000L;

  private final OwnedDescriptor file;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment memory;

  public Window(Kernel kernel) {
    Descriptor made = kernel.call(new FileCall.MemfdCreate("jrun-window", FileCall.MFD_CLOEXEC));
    file = new OwnedDescriptor(kernel, ((Descriptor.Known) made).number());
    kernel.call(new FileCall.Ftruncate(file.descriptor(), size()));
    try (FileChannel channel =
        FileChannel.open(
            Path.of("/proc/self/fd/" + file.number()),
            StandardOpenOption.READ,
            StandardOpenOption.WRITE)) {
      memory = channel.map(FileChannel.MapMode.READ_WRITE, 0, size(), arena);
    } catch (IOException e) {
      file.close();
      throw IoFailure.of("mapping a window", e);
    }
  }

  static long size() {
    return (long) SLOT * SLOTS;
  }

  OwnedDescriptor file() {
    return file;
  }

  ByteBuffer slot(int number) {
    return memory.asSlice((long) number * SLOT, SLOT).asByteBuffer();
  }

  static long address(int number) {
    return ADDRESS + (long) number * SLOT;
  }

  @Override
  public void close() {
    arena.close();
    file.close();
  }
}

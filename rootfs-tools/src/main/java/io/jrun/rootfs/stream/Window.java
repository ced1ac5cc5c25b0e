package io.jrun.rootfs.stream;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.rootfs.IoFailure;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/// Memory that the engine fills and a writer process reads, or the other way round: slots of one
/// memory file.
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

  public static final int SLOTS = 8;

  /// Where writers map it.
  static final long ADDRESS = 0x3000000000L;

  static final int PROT_READ = 1;
  private static final int PROT_WRITE = 2;
  private static final int MAP_SHARED = 1;
  private static final int MAP_FIXED_NOREPLACE = 0x100000;

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

  /// Maps it in a process that reads it.
  void map(HelperKernel process) {
    map(process, file, 0, size(), PROT_READ);
  }

  /// Maps it in a process that fills it.
  public void mapToFill(HelperKernel process) {
    map(process, file, 0, size(), PROT_READ | PROT_WRITE);
  }

  /// Maps a part of a file where a process has its window.
  static void map(
      HelperKernel process, OwnedDescriptor file, long offset, long size, int protection) {
    Batch batch = new Batch();
    Descriptor passed = batch.pass(file);
    batch.add(
        new ProcessCall.Mmap(
            ADDRESS, size, protection, MAP_SHARED | MAP_FIXED_NOREPLACE, passed, offset));
    batch.add(new FileCall.Close(passed));
    process.run(batch);
  }

  public ByteBuffer slot(int number) {
    return memory.asSlice((long) number * SLOT, SLOT).asByteBuffer();
  }

  /// Where the process that has it mapped sees a slot.
  public static long address(int number) {
    return ADDRESS + (long) number * SLOT;
  }

  @Override
  public void close() {
    arena.close();
    file.close();
  }
}

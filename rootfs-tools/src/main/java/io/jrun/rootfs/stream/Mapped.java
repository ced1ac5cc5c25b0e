package io.jrun.rootfs.stream;

import io.jrun.rootfs.RootfsException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/// A plain file as it lies in the page cache: engine and writer both map it, so its content is
/// copied once, by the write to its destination.
public final class Mapped implements Segments {
  /// So much of the file counts as memory of engine and writer.
  private static final long PART = 8 << 20;

  private static final int PAGE = 4096;
  private static final int HASHED = 1 << 20;

  private final Arena arena = Arena.ofShared();
  private final MemorySegment memory;
  private final long address;
  private final @Nullable Thread hashing;
  private volatile @Nullable RuntimeException failure;
  private volatile boolean closed;
  private long at;

  /// @param range of a regular file
  /// @param verified the digest of all of it; null where none is expected
  /// @throws IOException when the file cannot be mapped
  public Mapped(Origin range, @Nullable Verified verified) throws IOException {
    long start = range.start().orElseThrow();
    long skew = start % PAGE;
    try (FileChannel channel =
        FileChannel.open(
            Path.of("/proc/self/fd/" + range.descriptor().number()), StandardOpenOption.READ)) {
      memory =
          channel
              .map(
                  FileChannel.MapMode.READ_ONLY,
                  start - skew,
                  range.size().orElseThrow() + skew,
                  arena)
              .asSlice(skew);
    }
    address = Window.ADDRESS + skew;
    hashing =
        verified == null
            ? null
            : Thread.ofPlatform()
                .name("hash")
                .daemon(true)
                .start(() -> hash(range.again(), verified));
  }

  /// Reads the file: in native code, access to a mapping whose file became shorter would end the
  /// engine.
  private void hash(Origin origin, Verified verified) {
    try {
      ByteBuffer chunk = ByteBuffer.allocateDirect(HASHED);
      while (!closed && origin.read(chunk.clear()) > 0) verified.update(chunk.flip());
      if (!closed) verified.check();
    } catch (RuntimeException e) {
      failure = e;
    }
  }

  @Override
  public @Nullable Segment next() {
    if (at == memory.byteSize()) {
      join();
      RuntimeException thrown = failure;
      if (thrown != null) throw thrown;
      return null;
    }
    long length = Math.min(PART, memory.byteSize() - at);
    MemorySegment part = memory.asSlice(at, length);
    Segment segment = new Segment(part.asByteBuffer(), address + at, true, part::unload);
    at += length;
    return segment;
  }

  @Override
  public boolean isReady() {
    return at < memory.byteSize();
  }

  private void join() {
    try {
      if (hashing != null) hashing.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new RootfsException("interrupted");
    }
  }

  @Override
  public void close() {
    closed = true;
    join();
    arena.close();
  }
}

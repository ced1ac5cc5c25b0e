package io.jrun.rootfs.stream;

import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.rootfs.codec.Compression;
import java.io.IOException;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// A stream opened for one consumer: as segments, in memory that a writer can map.
public final class Sources {
  private static final int PAGE = 4096;

  private Sources() {}

  /// Opens a stream of which the first bytes are known, maps its memory in the writer, hands the
  /// segments out and frees all.
  ///
  /// @param first bytes that were read already; empty for a range, which starts over
  public static void with(
      HelperKernel writer,
      Origin origin,
      byte[] first,
      Compression compression,
      Expansion expansion,
      @Nullable Verified encoded,
      @Nullable Verified plain,
      Consumer<Segments> consumer) {
    if (compression == Compression.NONE && first.length == 0 && origin.size().orElse(0) > 0) {
      Optional<Mapped> mapped = mapped(origin, plain != null ? plain : encoded);
      if (mapped.isPresent()) {
        withMapped(writer, origin, mapped.get(), consumer);
        return;
      }
    }
    try (Window window = new Window(origin.kernel());
        Decoded decoded =
            new Decoded(window, origin, first, compression, expansion, encoded, plain)) {
      window.map(writer);
      consumer.accept(decoded);
    } finally {
      unmap(writer, Window.size());
    }
  }

  /// Empty for a file that can be read but not mapped.
  private static Optional<Mapped> mapped(Origin origin, @Nullable Verified verified) {
    try {
      return Optional.of(new Mapped(origin, verified));
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  private static void withMapped(
      HelperKernel writer, Origin origin, Mapped mapped, Consumer<Segments> consumer) {
    long start = origin.start().orElseThrow();
    long skew = start % PAGE;
    long size = origin.size().orElseThrow() + skew;
    try (mapped) {
      Window.map(writer, origin.descriptor(), start - skew, size, Window.PROT_READ);
      consumer.accept(mapped);
    } finally {
      unmap(writer, size);
    }
  }

  private static void unmap(HelperKernel writer, long size) {
    try {
      writer.call(new ProcessCall.Munmap(Window.ADDRESS, size));
    } catch (RuntimeException e) {
      // answers are still under way after a failure, or the writer is gone: its memory goes with it
    }
  }
}

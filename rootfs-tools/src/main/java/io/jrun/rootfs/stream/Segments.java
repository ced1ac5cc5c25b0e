package io.jrun.rootfs.stream;

import org.jspecify.annotations.Nullable;

/// A stream as segments, each of them whole multiples of 512 bytes long apart from the last.
public interface Segments extends AutoCloseable {
  /// The next segment, or null at the end of the stream; waits for it. A failure of what produces
  /// the stream is thrown here.
  @Nullable Segment next();

  /// Whether [#next] would not wait.
  boolean isReady();

  /// Ends the production and frees the memory.
  @Override
  void close();
}

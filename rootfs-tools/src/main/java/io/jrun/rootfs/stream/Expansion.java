package io.jrun.rootfs.stream;

import io.jrun.rootfs.RootfsException;

/// How much a stream may become.
///
/// @param bytes the most in all
/// @param ratio the most as a multiple of what came; not checked below 64 MiB
public record Expansion(long bytes, long ratio) {
  private static final long SMALL = 64 << 20;

  /// Throws where a stream has become too large.
  public void checkSize(long made) {
    if (made > bytes) {
      throw new RootfsException(
          "the stream has more than " + bytes + " bytes, the limit (--max-size)");
    }
  }

  void check(long made, long came) {
    checkSize(made);
    if (made > SMALL && made / ratio > came) {
      throw new RootfsException(
          "the stream expands to more than "
              + ratio
              + " times its size, the limit (--max-ratio): "
              + made
              + " bytes from "
              + came);
    }
  }
}

package io.jrun.rootfs.stream;

import io.jrun.rootfs.codec.Encoded;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/// An origin's bytes on their way to a decoder: counted, and added to a digest.
final class EncodedOrigin extends Encoded {
  private final Origin origin;
  private final byte[] before;
  private final @Nullable Verified verified;
  private int given;
  private long count;

  /// @param before bytes of the stream that were read already
  EncodedOrigin(Origin origin, byte[] before, @Nullable Verified verified) {
    this.origin = origin;
    this.before = before;
    this.verified = verified;
  }

  long count() {
    return count;
  }

  @Override
  protected int read(ByteBuffer into) {
    int start = into.position();
    int read;
    if (given < before.length) {
      read = Math.min(before.length - given, into.remaining());
      into.put(before, given, read);
      given += read;
    } else {
      read = origin.read(into);
    }
    count += read;
    if (verified != null && read > 0) verified.update(into.slice(start, read));
    return read;
  }

  /// Reads what the decoder left, so that the digest is of all.
  void drain() {
    ByteBuffer rest = ByteBuffer.allocateDirect(1 << 16);
    while (read(rest.clear()) > 0) {}
  }
}

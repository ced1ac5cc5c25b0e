package io.jrun.rootfs.stream;

import io.jrun.rootfs.DamagedException;
import io.jrun.rootfs.codec.Digest;
import java.nio.ByteBuffer;

/// A digest that is expected of a stream, and what to call the stream when it has another.
public final class Verified implements AutoCloseable {
  private final String what;
  private final String expected;
  private final Digest digest;

  /// @param expected such as `sha256:…`
  public Verified(String what, String expected) {
    this.what = what;
    this.expected = expected;
    this.digest = Digest.of(expected.substring(0, Math.max(0, expected.indexOf(':'))));
  }

  public void update(ByteBuffer direct) {
    digest.update(direct);
  }

  /// Throws when what came is not what was expected.
  public void check() {
    String found = expected.substring(0, expected.indexOf(':') + 1) + digest.hex();
    if (!found.equals(expected)) {
      throw new DamagedException(what + " has the digest " + found + ", not " + expected);
    }
  }

  @Override
  public void close() {
    digest.close();
  }
}

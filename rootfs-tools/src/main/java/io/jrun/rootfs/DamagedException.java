package io.jrun.rootfs;

/// Content that is not what it was: truncated, damaged, or of another digest.
public final class DamagedException extends RootfsException {
  private static final long serialVersionUID = 1L;

  public DamagedException(String message) {
    super(message);
  }

  public DamagedException(String message, Throwable cause) {
    super(message, cause);
  }
}

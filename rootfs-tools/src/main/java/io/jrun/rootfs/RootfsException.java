package io.jrun.rootfs;

/// An archive, image or directory that cannot be worked with; the message is for the user.
public sealed class RootfsException extends RuntimeException permits DamagedException {
  private static final long serialVersionUID = 1L;

  public RootfsException(String message) {
    super(message);
  }

  public RootfsException(String message, Throwable cause) {
    super(message, cause);
  }
}

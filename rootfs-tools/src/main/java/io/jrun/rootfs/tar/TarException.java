package io.jrun.rootfs.tar;

/// An archive that is damaged, or says what jrun does not do.
public final class TarException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public TarException(String message) {
    super(message);
  }
}

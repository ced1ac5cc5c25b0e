package io.jrun.runtime.criu;

/// CRIU could not be asked, or did not do what it was asked.
public final class CriuException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public CriuException(String message) {
    super(message);
  }
}

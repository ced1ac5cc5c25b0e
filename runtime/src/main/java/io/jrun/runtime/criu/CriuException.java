package io.jrun.runtime.criu;

/// CRIU could not be asked, or did not do what it was asked.
public final class CriuException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final boolean wasKilled;

  public CriuException(String message) {
    this(message, false);
  }

  private CriuException(String message, boolean wasKilled) {
    super(message);
    this.wasKilled = wasKilled;
  }

  static CriuException killed(int signal) {
    return new CriuException("criu was killed by signal " + signal, true);
  }

  /// Whether its log cannot say why it failed.
  public boolean wasKilled() {
    return wasKilled;
  }
}

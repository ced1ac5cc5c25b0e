package io.jrun.kernel;

/// The helper ended, or its caller was killed, before it answered.
public final class HelperGoneException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public HelperGoneException(String message) {
    super(message);
  }
}

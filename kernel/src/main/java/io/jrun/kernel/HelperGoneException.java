package io.jrun.kernel;

/// The helper ended, or its caller was killed, before it answered; or it has nothing more to ask,
/// which is how every command ends, so the stack is not walked for it.
public final class HelperGoneException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public HelperGoneException(String message) {
    super(message, null, true, false);
  }
}

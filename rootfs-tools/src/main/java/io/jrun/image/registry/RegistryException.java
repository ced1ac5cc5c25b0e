package io.jrun.image.registry;

/// What a registry refused, or answered wrongly.
final class RegistryException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int status;

  RegistryException(int status, String message) {
    super(message);
    this.status = status;
  }

  RegistryException(String message, Throwable cause) {
    super(message, cause);
    this.status = 0;
  }

  /// The answer's status; 0 where there was none.
  int status() {
    return status;
  }

  /// Whether the same request may succeed later.
  boolean isPassing() {
    return status == 0 || status == 429 || status >= 500;
  }
}

package io.jrun.runtime.seccomp;

/// A profile that cannot be compiled, or a libseccomp that is not there.
public final class SeccompException extends RuntimeException {
  SeccompException(String message) {
    super(message);
  }

  SeccompException(String message, Throwable cause) {
    super(message, cause);
  }
}

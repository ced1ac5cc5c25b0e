package io.jrun.cni;

import io.jrun.specs.cni.CniError;
import org.jspecify.annotations.Nullable;

/// A failure with its code of the CNI specification; the message is one line.
public final class CniException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int code;
  private final @Nullable String details;

  public CniException(int code, String message) {
    this(code, message, null, null);
  }

  public CniException(int code, String message, Throwable cause) {
    this(code, message, null, cause);
  }

  public CniException(
      int code, String message, @Nullable String details, @Nullable Throwable cause) {
    super(message, cause);
    this.code = code;
    this.details = details;
  }

  public int code() {
    return code;
  }

  /// This failure with the step in which it happened before its message.
  public CniException in(String step) {
    return new CniException(code, step + ": " + getMessage(), details, this);
  }

  /// Any failure as a CNI error; one without a code gets the code for internal errors.
  public static CniException of(RuntimeException failure) {
    if (failure instanceof CniException known) return known;
    String message = failure.getMessage() == null ? failure.toString() : failure.getMessage();
    return new CniException(CniError.INTERNAL, message, failure);
  }

  public CniError toError(String cniVersion) {
    String message = getMessage();
    return new CniError(cniVersion, code, message == null ? "" : message, details);
  }
}

package io.jrun.runtime.resctrl;

import org.jspecify.annotations.Nullable;

/// What was asked of Intel RDT cannot be, or the kernel refused it.
public final class ResctrlException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  ResctrlException(String step, @Nullable Throwable cause) {
    super(cause == null ? step : step + ": " + cause.getMessage(), cause);
  }
}

package io.jrun.runtime.container;

import org.jspecify.annotations.Nullable;

/// An operation on a container that cannot be done, or that failed at a step.
public final class ContainerException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public ContainerException(String message) {
    super(message);
  }

  public ContainerException(String step, @Nullable Throwable cause) {
    super(cause == null ? step : step + ": " + cause.getMessage(), cause);
  }
}

package io.jrun.runtime.cgroup;

import org.jspecify.annotations.Nullable;

/// A cgroup that cannot be made, configured or removed as asked.
public final class CgroupException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public CgroupException(String message) {
    super(message);
  }

  /// A step that failed because of `cause`, whose message becomes the end of this one's.
  public CgroupException(String step, @Nullable Throwable cause) {
    super(
        cause == null || cause.getMessage() == null ? step : step + ": " + cause.getMessage(),
        cause);
  }
}

package io.jrun.kernel;

import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.Syscall;
import org.jspecify.annotations.Nullable;

/// A syscall that the kernel refused. The message is the call itself with its errno, behind what it
/// was for, where that is known.
public final class KernelException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final transient Syscall<?> call;
  private final Errno errno;
  private final @Nullable String step;

  public KernelException(Syscall<?> call, Errno errno) {
    this(call, errno, null);
  }

  public KernelException(Syscall<?> call, Errno errno, @Nullable String step) {
    super(null, null, true, !isAnswer(errno));
    this.call = call;
    this.errno = errno;
    this.step = step;
  }

  /// Whether something is not there, which is mostly what a caller wanted to know: to walk the
  /// stack would take ten times as long as the call.
  private static boolean isAnswer(Errno errno) {
    return errno.equals(Errno.ENOENT) || errno.equals(Errno.ESRCH) || errno.equals(Errno.ENODEV);
  }

  /// Put together when it is asked for: many failures are expected, and told to nobody.
  @Override
  public String getMessage() {
    return (step == null ? "" : step + ": ")
        + call.text()
        + ": "
        + errno.name()
        + " ("
        + errno.text()
        + ")";
  }

  public Syscall<?> call() {
    return call;
  }

  public Errno errno() {
    return errno;
  }
}

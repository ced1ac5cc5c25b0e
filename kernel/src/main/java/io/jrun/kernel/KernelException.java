package io.jrun.kernel;

import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.Syscall;

/// A syscall that the kernel refused. The message is the call itself with its errno.
public final class KernelException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final transient Syscall<?> call;
  private final Errno errno;

  public KernelException(Syscall<?> call, Errno errno) {
    this.call = call;
    this.errno = errno;
  }

  /// Put together when it is asked for: many failures are expected, and told to nobody.
  @Override
  public String getMessage() {
    return call.text() + ": " + errno.name() + " (" + errno.text() + ")";
  }

  public Syscall<?> call() {
    return call;
  }

  public Errno errno() {
    return errno;
  }
}

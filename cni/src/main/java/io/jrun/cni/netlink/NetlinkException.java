package io.jrun.cni.netlink;

import io.jrun.kernel.call.Errno;

/// A request that the kernel refused; the message is the request, the errno and what the kernel
/// said of it.
public final class NetlinkException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int errno;

  NetlinkException(String message) {
    super(message);
    this.errno = 0;
  }

  NetlinkException(Request request, Errno errno, String kernelSays) {
    super(
        request.text()
            + ": "
            + errno.name()
            + " ("
            + errno.text()
            + ")"
            + (kernelSays.isEmpty() ? "" : ": " + kernelSays));
    this.errno = errno.value();
  }

  public boolean is(Errno other) {
    return errno == other.value();
  }
}

package io.jrun.kernel;

import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.SocketCall;

/// A connection to whoever listens on a socket in the file system.
public final class UnixConnection {
  private UnixConnection() {}

  public static OwnedDescriptor open(Kernel kernel, String path) {
    int type = SocketCall.SOCK_STREAM | SocketCall.SOCK_CLOEXEC;
    OwnedDescriptor socket =
        OwnedDescriptor.open(kernel, new SocketCall.Socket(SocketCall.AF_UNIX, type, 0, false));
    try {
      kernel.call(new SocketCall.Connect(socket.descriptor(), SocketCall.unixAddress(path)));
      return socket;
    } catch (RuntimeException e) {
      socket.close();
      throw e;
    }
  }

  /// Whether somebody does, who may notice.
  public static boolean isPossible(Kernel kernel, String path) {
    try (OwnedDescriptor socket = open(kernel, path)) {
      return true;
    } catch (KernelException e) {
      if (e.errno().equals(Errno.ECONNREFUSED) || e.errno().equals(Errno.ENOENT)) return false;
      throw e;
    }
  }
}

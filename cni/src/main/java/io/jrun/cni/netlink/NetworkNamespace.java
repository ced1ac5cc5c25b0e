package io.jrun.cni.netlink;

import io.jrun.kernel.Kernel;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.Undoing;
import java.nio.file.Path;

/// A container's network namespace: its descriptor, and a socket that acts in it.
public record NetworkNamespace(OwnedDescriptor descriptor, NetlinkSocket socket)
    implements AutoCloseable {
  private static final Path HERE = Path.of("/proc/thread-self/ns/net");

  /// That of the calling thread.
  public static NetworkNamespace here(Kernel kernel) {
    OwnedDescriptor descriptor = OwnedDescriptor.toRead(kernel, HERE);
    try {
      return new NetworkNamespace(descriptor, NetlinkSocket.open(kernel));
    } catch (RuntimeException e) {
      Undoing.suppressing(e, descriptor::close);
      throw e;
    }
  }

  @Override
  public void close() {
    try (socket) {
      descriptor.close();
    }
  }
}

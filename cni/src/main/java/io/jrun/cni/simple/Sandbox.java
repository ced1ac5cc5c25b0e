package io.jrun.cni.simple;

import io.jrun.cni.netlink.NetlinkSocket;
import io.jrun.kernel.OwnedDescriptor;

/// A container's network namespace: its descriptor, and a socket that acts in it.
public record Sandbox(OwnedDescriptor namespace, NetlinkSocket socket) implements AutoCloseable {
  @Override
  public void close() {
    namespace.close();
    socket.close();
  }
}

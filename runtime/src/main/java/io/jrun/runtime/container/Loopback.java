package io.jrun.runtime.container;

import io.jrun.kernel.Batch;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.Pending;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.IoctlCall;
import io.jrun.kernel.call.SocketCall;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/// Brings `lo` of a new network namespace up (netdevice(7), SIOCSIFFLAGS).
final class Loopback {
  private static final int IFREQ = 40;
  private static final int IFNAMSIZ = 16;
  private static final SocketCall.Socket SOCKET =
      new SocketCall.Socket(
          SocketCall.AF_INET, SocketCall.SOCK_DGRAM | SocketCall.SOCK_CLOEXEC, 0, false);
  private static final short IFF_UP_LOOPBACK_RUNNING = 0x1 | 0x8 | 0x40;

  private Loopback() {}

  static void addTo(Batch batch) {
    Descriptor socket = socket(batch);
    batch.add(raise(socket));
    batch.add(new FileCall.Close(socket));
  }

  /// In the network namespace of this thread.
  static void raise(Kernel kernel) {
    try (OwnedDescriptor socket = OwnedDescriptor.open(kernel, SOCKET)) {
      kernel.call(raise(socket.descriptor()));
    }
  }

  /// For a batch that must go on whatever comes of it.
  static Pending<?> attemptIn(Batch batch) {
    Descriptor socket = socket(batch);
    Pending<?> raised = batch.attempt(raise(socket));
    batch.add(new FileCall.Close(socket));
    return raised;
  }

  private static IoctlCall.IoctlWrite raise(Descriptor socket) {
    ByteBuffer request = ByteBuffer.allocate(IFREQ).order(ByteOrder.nativeOrder());
    request.put((byte) 'l').put((byte) 'o').putShort(IFNAMSIZ, IFF_UP_LOOPBACK_RUNNING);
    return new IoctlCall.IoctlWrite(socket, IoctlCall.SIOCSIFFLAGS, request.array());
  }

  private static Descriptor socket(Batch batch) {
    return batch.add(SOCKET).descriptor();
  }
}

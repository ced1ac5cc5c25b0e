package io.jrun.runtime.container;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.Pending;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.DescriptorCall;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.SocketCall;
import java.nio.charset.StandardCharsets;
import java.util.List;

/// Sends a helper's descriptor to whoever listens on a unix(7) socket, as runc does: one message
/// with the descriptor.
final class DescriptorSocket {
  private static final int F_DUPFD_CLOEXEC = 1030;

  private DescriptorSocket() {}

  /// Sends a descriptor of the engine by way of a helper.
  static void pass(HelperKernel helper, String path, String message, OwnedDescriptor descriptor) {
    Batch batch = new Batch();
    Descriptor passed = batch.pass(descriptor);
    Pending<Integer> number = batch.add(new DescriptorCall.Fcntl(passed, F_DUPFD_CLOEXEC, 3));
    batch.add(new FileCall.Close(passed));
    Descriptor.Known own = new Descriptor.Known(helper.run(batch).of(number));
    try {
      send(helper, path, message, own.number());
    } finally {
      helper.call(new FileCall.Close(own));
    }
  }

  /// @param number of the descriptor in the helper, which keeps it
  static void send(HelperKernel helper, String path, String message, int number) {
    Descriptor socket =
        helper.call(
            new SocketCall.Socket(
                SocketCall.AF_UNIX, SocketCall.SOCK_STREAM | SocketCall.SOCK_CLOEXEC, 0, false));
    try {
      connect(helper, path, socket);
      Batch batch = new Batch();
      batch.add(
          new SocketCall.Sendmsg(
              socket,
              message.getBytes(StandardCharsets.UTF_8),
              List.of(number),
              SocketCall.MSG_NOSIGNAL));
      helper.run(batch);
    } finally {
      helper.call(new FileCall.Close(socket));
    }
  }

  private static void connect(HelperKernel helper, String path, Descriptor socket) {
    try {
      SocketPath.use(helper, path, address -> new SocketCall.Connect(socket, address));
    } catch (KernelException e) {
      throw new ContainerException("socket " + path, e);
    }
  }
}

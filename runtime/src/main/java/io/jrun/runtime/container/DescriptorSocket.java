package io.jrun.runtime.container;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.SocketCall;
import java.nio.charset.StandardCharsets;
import java.util.List;

/// Sends a helper's descriptor to whoever listens on a unix(7) socket, as runc does: one message
/// with the descriptor.
final class DescriptorSocket {
  private DescriptorSocket() {}

  /// @param number of the descriptor in the helper, which keeps it
  static void send(HelperKernel helper, String path, String message, int number) {
    Descriptor socket =
        helper.call(
            new SocketCall.Socket(
                SocketCall.AF_UNIX, SocketCall.SOCK_STREAM | SocketCall.SOCK_CLOEXEC, 0, false));
    try {
      SocketPath.use(helper, path, address -> new SocketCall.Connect(socket, address));
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
}

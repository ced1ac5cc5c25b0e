package io.jrun.runtime.container;

import io.jrun.kernel.Batch;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.SocketCall;

/// Brings `lo` of a new network namespace up.
final class Loopback {
  private Loopback() {}

  static void addTo(Batch batch) {
    Descriptor socket =
        batch
            .add(
                new SocketCall.Socket(
                    SocketCall.AF_INET, SocketCall.SOCK_DGRAM | SocketCall.SOCK_CLOEXEC, 0, false))
            .descriptor();
    batch.add(FileCall.loopbackUp(socket));
    batch.add(new FileCall.Close(socket));
  }
}

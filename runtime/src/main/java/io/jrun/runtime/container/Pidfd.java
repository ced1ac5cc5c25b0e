package io.jrun.runtime.container;

import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.SignalCall;

/// `--pidfd-socket`: hands out a descriptor of a process that its pid cannot outlive.
final class Pidfd {
  /// runc's words for an init and for a process of `exec`.
  static final String INIT = "standard";

  static final String EXEC = "setns";

  private Pidfd() {}

  /// @param client in whose view the process has this pid
  static void send(HelperKernel client, String path, String kind, int pid) {
    Descriptor.Known pidfd = (Descriptor.Known) client.call(new SignalCall.PidfdOpen(pid));
    try {
      DescriptorSocket.send(client, path, kind, pidfd.number());
    } finally {
      client.call(new FileCall.Close(pidfd));
    }
  }
}

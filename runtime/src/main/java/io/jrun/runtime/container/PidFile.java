package io.jrun.runtime.container;

import io.jrun.kernel.HelperGoneException;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import org.jspecify.annotations.Nullable;

/// The file of `--pid-file`, which is there only where the process is.
final class PidFile {
  private final ClientProcess client;
  private final @Nullable String path;
  private boolean isWritten;

  /// @param path null where none is wanted
  PidFile(ClientProcess client, @Nullable String path) {
    this.client = client;
    this.path = path;
  }

  void write(int pid) {
    if (path == null) return;
    client.replace(path, Integer.toString(pid));
    isWritten = true;
  }

  /// Takes it away, as there will be no process.
  void remove(RuntimeException cause) {
    if (path == null || !isWritten) return;
    isWritten = false;
    try {
      client.helper.call(new FileCall.Unlinkat(Descriptor.CWD, path, 0));
    } catch (KernelException | HelperGoneException e) {
      cause.addSuppressed(e);
    }
  }
}

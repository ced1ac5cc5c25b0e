package io.jrun.image.commands;

import io.jrun.image.store.StoreWriter;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.call.Errno;
import io.jrun.rootfs.CallerFiles;
import io.jrun.rootfs.unpack.Rights;
import io.jrun.rootfs.unpack.Unpacking;
import io.jrun.rootfs.unpack.WriterProcess;
import java.nio.file.Path;

/// The removal of trees whose files may belong to the ids of a user namespace.
final class Trees {
  private Trees() {}

  /// Tries it with the caller's own rights first; nothing is there afterwards.
  static void remove(CallerFiles caller, StoreWriter writer, Path tree) {
    try {
      Unpacking.removeIn(caller.helper(), tree.toString());
    } catch (KernelException e) {
      if (e.errno().equals(Errno.ENOENT)) return;
      boolean isRefused = e.errno().equals(Errno.EACCES) || e.errno().equals(Errno.EPERM);
      if (!isRefused || writer.rights() == Rights.ALL) throw e;
      try (WriterProcess process = writer.start().get()) {
        Unpacking.removeIn(process.kernel(), tree.toString());
      }
    }
  }
}

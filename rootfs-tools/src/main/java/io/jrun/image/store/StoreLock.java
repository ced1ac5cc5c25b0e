package io.jrun.image.store;

import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import java.nio.file.Path;

/// A lock between processes and threads, on a file; a crash releases it.
final class StoreLock implements AutoCloseable {
  private final OwnedDescriptor file;

  private StoreLock(OwnedDescriptor file) {
    this.file = file;
  }

  /// Waits for the lock.
  static StoreLock take(Kernel kernel, Path path, boolean exclusive) {
    Descriptor opened =
        kernel.call(
            new FileCall.Openat(
                Descriptor.CWD,
                path.toString(),
                FileCall.O_RDWR | FileCall.O_CREAT | FileCall.O_CLOEXEC,
                0600,
                false));
    OwnedDescriptor file = new OwnedDescriptor(kernel, opened);
    while (true) {
      try {
        kernel.call(
            new FileCall.Flock(file.descriptor(), exclusive ? FileCall.LOCK_EX : FileCall.LOCK_SH));
        return new StoreLock(file);
      } catch (KernelException e) {
        if (e.errno().equals(Errno.EINTR)) continue;
        file.close();
        throw e;
      }
    }
  }

  @Override
  public void close() {
    file.close();
  }
}

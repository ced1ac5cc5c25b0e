package io.jrun.kernel;

import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import java.nio.file.Path;

/// A held flock(2) on a file, which is made where it is missing. It counts between threads as
/// between processes, as each holder has a description of its own, and a crash releases it.
public final class LockFile implements AutoCloseable {
  private final OwnedDescriptor file;

  private LockFile(OwnedDescriptor file) {
    this.file = file;
  }

  /// Waits until nobody else holds it.
  public static LockFile exclusive(Kernel kernel, Path path) {
    return lock(kernel, path, FileCall.LOCK_EX);
  }

  /// Waits until nobody holds it exclusively.
  public static LockFile shared(Kernel kernel, Path path) {
    return lock(kernel, path, FileCall.LOCK_SH);
  }

  private static LockFile lock(Kernel kernel, Path path, int operation) {
    OwnedDescriptor file =
        OwnedDescriptor.open(
            kernel, FileCall.Openat.creating(path.toString(), FileCall.O_RDWR, 0600));
    while (true) {
      try {
        kernel.call(new FileCall.Flock(file.descriptor(), operation));
        return new LockFile(file);
      } catch (RuntimeException e) {
        if (e instanceof KernelException k && k.errno().equals(Errno.EINTR)) continue;
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

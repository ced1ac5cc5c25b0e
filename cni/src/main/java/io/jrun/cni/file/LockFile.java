package io.jrun.cni.file;

import io.jrun.kernel.Kernel;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import java.nio.file.Path;

/// A held flock(2): between threads as between processes, as each has a description of its own.
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
    Descriptor opened =
        kernel.call(
            new FileCall.Openat(
                Descriptor.CWD,
                path.toString(),
                FileCall.O_RDWR | FileCall.O_CREAT | FileCall.O_CLOEXEC,
                0600,
                false));
    OwnedDescriptor file = new OwnedDescriptor(kernel, ((Descriptor.Known) opened).number());
    try {
      kernel.call(new FileCall.Flock(file.descriptor(), operation));
      return new LockFile(file);
    } catch (RuntimeException e) {
      file.close();
      throw e;
    }
  }

  @Override
  public void close() {
    file.close();
  }
}

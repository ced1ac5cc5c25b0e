package io.jrun.runtime.container;

import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A container's directory, open and locked (flock(2)): who holds it makes or deletes that
/// container, and nobody else does meanwhile. The kernel releases it when its holder dies.
final class Claim implements AutoCloseable {
  private static final long LONGEST_PAUSE_MILLIS = 50;

  private final Kernel kernel;
  private final OwnedDescriptor directory;
  private @Nullable OwnedDescriptor kept;

  private Claim(Kernel kernel, OwnedDescriptor directory) {
    this.kernel = kernel;
    this.directory = directory;
  }

  /// Locks a directory that this caller has just made.
  static Claim ofNew(Kernel kernel, String path) {
    Claim claim = new Claim(kernel, open(kernel, path));
    try {
      claim.lock(FileCall.LOCK_EX);
      return claim;
    } catch (RuntimeException e) {
      claim.directory.close();
      throw e;
    }
  }

  /// Locks a directory, which may take until another is done with it; empty where there is none.
  static Optional<Claim> await(Kernel kernel, String path, long millis) {
    Claim claim;
    try {
      claim = new Claim(kernel, open(kernel, path));
    } catch (KernelException e) {
      if (e.errno().equals(Errno.ENOENT)) return Optional.empty();
      throw e;
    }
    try {
      long end = System.nanoTime() + millis * 1_000_000;
      for (long pause = 1; !claim.tryLock(); pause = Math.min(2 * pause, LONGEST_PAUSE_MILLIS)) {
        if (System.nanoTime() > end)
          throw new ContainerException("another command is making or deleting the container");
        pause(pause);
      }
      if (claim.exists()) return Optional.of(claim);
      claim.close();
      return Optional.empty();
    } catch (RuntimeException e) {
      claim.directory.close();
      throw e;
    }
  }

  private static OwnedDescriptor open(Kernel kernel, String path) {
    int flags = FileCall.O_RDONLY | FileCall.O_DIRECTORY | FileCall.O_NOFOLLOW | FileCall.O_CLOEXEC;
    Descriptor opened = kernel.call(new FileCall.Openat(Descriptor.CWD, path, flags, 0, true));
    return new OwnedDescriptor(kernel, ((Descriptor.Known) opened).number());
  }

  private void lock(int operation) {
    while (true) {
      try {
        kernel.call(new FileCall.Flock(directory.descriptor(), operation));
        return;
      } catch (KernelException e) {
        if (!e.errno().equals(Errno.EINTR)) throw e;
      }
    }
  }

  private boolean tryLock() {
    try {
      lock(FileCall.LOCK_EX | FileCall.LOCK_NB);
      return true;
    } catch (KernelException e) {
      if (e.errno().equals(Errno.EAGAIN)) return false;
      throw e;
    }
  }

  private static void pause(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ContainerException("interrupted while waiting for the container", e);
    }
  }

  /// Lets others delete the container, and still knows it from a later one of its name.
  void unlock() {
    lock(FileCall.LOCK_UN);
  }

  /// Locks again; false where the container was deleted meanwhile.
  boolean relock() {
    lock(FileCall.LOCK_EX);
    return exists();
  }

  private boolean exists() {
    return kernel
            .call(new FileCall.Statx(directory.descriptor(), "", FileCall.AT_EMPTY_PATH))
            .links()
        > 0;
  }

  Descriptor descriptor() {
    return directory.descriptor();
  }

  /// Keeps a file of the directory open, or with null closes it.
  void keep(@Nullable OwnedDescriptor file) {
    OwnedDescriptor before = kept;
    kept = file;
    if (before != null) before.close();
  }

  Descriptor kept() {
    return java.util.Objects.requireNonNull(kept).descriptor();
  }

  @Override
  public void close() {
    close(kept);
    close(directory);
  }

  private static void close(@Nullable OwnedDescriptor descriptor) {
    try {
      if (descriptor != null) descriptor.close();
    } catch (KernelException e) {
      // it is closed all the same (close(2)), and what was written through it was checked
    }
  }
}

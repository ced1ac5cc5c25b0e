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
/// container, and nobody else does meanwhile. The kernel releases it when its holder dies. A shared
/// one only keeps the container there.
final class Claim implements AutoCloseable {
  private static final long LONGEST_PAUSE_MILLIS = 50;

  private final Kernel kernel;
  private final OwnedDescriptor directory;
  private @Nullable OwnedDescriptor kept;

  private Claim(Kernel kernel, OwnedDescriptor directory) {
    this.kernel = kernel;
    this.directory = directory;
  }

  /// What [#attempt] came to.
  ///
  /// @param claim null where there is none
  /// @param isBusy whether another holds it; else the directory is gone
  record Attempt(@Nullable Claim claim, boolean isBusy) {}

  /// Locks a directory at once or not at all.
  static Attempt attempt(Kernel kernel, String path) {
    Claim claim;
    try {
      claim = new Claim(kernel, open(kernel, path));
    } catch (KernelException e) {
      if (e.errno().equals(Errno.ENOENT)) return new Attempt(null, false);
      throw e;
    }
    try {
      boolean isLocked = claim.tryLock(FileCall.LOCK_EX);
      if (isLocked && claim.exists()) return new Attempt(claim, false);
      claim.close();
      return new Attempt(null, !isLocked);
    } catch (RuntimeException e) {
      claim.close();
      throw e;
    }
  }

  /// Locks a directory, which may take until another is done with it; empty where there is none.
  static Optional<Claim> await(Kernel kernel, String path, long millis) {
    return await(kernel, path, millis, FileCall.LOCK_EX);
  }

  /// The same, against those who would delete it only.
  static Optional<Claim> awaitShared(Kernel kernel, String path, long millis) {
    return await(kernel, path, millis, FileCall.LOCK_SH);
  }

  /// Locks the directory that it lies in, likewise.
  Claim awaitParent(long millis) {
    int flags = FileCall.O_RDONLY | FileCall.O_DIRECTORY | FileCall.O_CLOEXEC;
    OwnedDescriptor parent =
        OwnedDescriptor.open(
            kernel, new FileCall.Openat(directory.descriptor(), "..", flags, 0, true));
    return await(new Claim(kernel, parent), millis, FileCall.LOCK_EX)
        .orElseThrow(() -> new ContainerException("the directory of containers is gone"));
  }

  private static Optional<Claim> await(Kernel kernel, String path, long millis, int operation) {
    try {
      return await(new Claim(kernel, open(kernel, path)), millis, operation);
    } catch (KernelException e) {
      if (e.errno().equals(Errno.ENOENT)) return Optional.empty();
      throw e;
    }
  }

  private static Optional<Claim> await(Claim claim, long millis, int operation) {
    try {
      long end = System.nanoTime() + millis * 1_000_000;
      for (long pause = 1;
          !claim.tryLock(operation);
          pause = Math.min(2 * pause, LONGEST_PAUSE_MILLIS)) {
        if (System.nanoTime() > end)
          throw new ContainerException("another command is making or deleting the container");
        pause(pause);
      }
      if (claim.exists()) return Optional.of(claim);
      claim.close();
      return Optional.empty();
    } catch (RuntimeException e) {
      claim.close();
      throw e;
    }
  }

  private static OwnedDescriptor open(Kernel kernel, String path) {
    int flags = FileCall.O_RDONLY | FileCall.O_DIRECTORY | FileCall.O_NOFOLLOW;
    return OwnedDescriptor.open(kernel, FileCall.Openat.existing(path, flags));
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

  private boolean tryLock(int operation) {
    try {
      lock(operation | FileCall.LOCK_NB);
      return true;
    } catch (KernelException e) {
      if (e.errno().equals(Errno.EAGAIN)) return false;
      throw e;
    }
  }

  static void pause(long millis) {
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

  /// Whether the directory still has its name, which only a holder can take from it.
  boolean exists() {
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

  /// Closes a descriptor, whatever the kernel says to it.
  static void close(@Nullable OwnedDescriptor descriptor) {
    try {
      if (descriptor != null) descriptor.close();
    } catch (KernelException e) {
      // it is closed all the same (close(2)), and what was written through it was checked
    }
  }
}

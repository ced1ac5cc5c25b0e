package io.jrun.image.commands;

import io.jrun.image.ImageException;
import io.jrun.image.store.Lease;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.Stat;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// The right to a container's bundle, held by a lock on its directory while the container is being
/// made or watched; a crash releases it.
///
/// @param owner the directory of the containers' state, within which the id is unique; empty for
///   one who only collects
/// @param isLeft whether an earlier run left the directory: its container may be there still
public record BundleClaim(Path directory, String owner, OwnedDescriptor lock, boolean isLeft)
    implements AutoCloseable {
  private static final int TRIES = 100;

  /// Users of the container may enter its root.
  private static final int MODE = 0711;

  String id() {
    return String.valueOf(directory.getFileName());
  }

  static BundleClaim take(Kernel kernel, Path directory, String owner) {
    BundleClaim claim = own(kernel, directory, owner);
    if (claim.isLeft() && !Lease.of(directory).map(Lease::owner).orElse(owner).equals(owner)) {
      claim.close();
      throw inUse(directory);
    }
    return claim;
  }

  /// Whoever had the directory may take it away until it is locked, and then it is made again.
  private static BundleClaim own(Kernel kernel, Path directory, String owner) {
    for (int i = 0; i < TRIES; i++) {
      boolean isMade = make(kernel, directory);
      try {
        BundleClaim claim = lock(kernel, directory, owner, !isMade);
        if (claim != null) return claim;
      } catch (KernelException e) {
        if (isMade) removeEmpty(kernel, directory);
        throw e;
      }
    }
    throw inUse(directory);
  }

  /// The claim to what an earlier run left; null where somebody has it, or has just taken it away.
  static @Nullable BundleClaim ofLeft(Kernel kernel, Path directory) {
    try {
      return lock(kernel, directory, "", true);
    } catch (ImageException e) {
      return null;
    }
  }

  /// Whether there is a container that it belongs to. Whoever made it without saying whose it is
  /// did not come as far as a container.
  boolean isOwned() {
    return Lease.of(directory)
        .map(lease -> Files.isDirectory(Path.of(lease.owner()).resolve(id())))
        .orElse(false);
  }

  /// False where it is there.
  private static boolean make(Kernel kernel, Path directory) {
    try {
      kernel.call(new FileCall.Mkdirat(Descriptor.CWD, directory.toString(), MODE));
    } catch (KernelException e) {
      if (e.errno().equals(Errno.EEXIST)) return false;
      throw e;
    }
    try {
      kernel.call(new FileCall.Fchmodat(Descriptor.CWD, directory.toString(), MODE));
      return true;
    } catch (KernelException e) {
      if (e.errno().equals(Errno.ENOENT)) return false;
      removeEmpty(kernel, directory);
      throw e;
    }
  }

  /// Only as long as nobody has put anything into it: it is not locked.
  private static void removeEmpty(Kernel kernel, Path directory) {
    try {
      kernel.call(
          new FileCall.Unlinkat(Descriptor.CWD, directory.toString(), FileCall.AT_REMOVEDIR));
    } catch (KernelException e) {
      if (!e.errno().equals(Errno.ENOENT) && !e.errno().equals(Errno.ENOTEMPTY)) throw e;
    }
  }

  /// Null where the directory is gone, or another one by now.
  private static @Nullable BundleClaim lock(
      Kernel kernel, Path directory, String owner, boolean isLeft) {
    try {
      BundleClaim claim = lockOpened(kernel, directory, owner, isLeft);
      boolean isClaimed = false;
      try {
        isClaimed = claim.isInItsPlace(kernel);
        return isClaimed ? claim : null;
      } finally {
        if (!isClaimed) claim.close();
      }
    } catch (KernelException e) {
      if (e.errno().equals(Errno.ENOENT)) return null;
      throw e;
    }
  }

  private boolean isInItsPlace(Kernel kernel) {
    Stat locked = kernel.call(new FileCall.Statx(lock.descriptor(), "", FileCall.AT_EMPTY_PATH));
    Stat there = kernel.call(new FileCall.Statx(Descriptor.CWD, directory.toString(), 0));
    return locked.inode() == there.inode();
  }

  private static BundleClaim lockOpened(
      Kernel kernel, Path directory, String owner, boolean isLeft) {
    OwnedDescriptor lock =
        OwnedDescriptor.open(kernel, FileCall.Openat.directory(directory.toString()));
    try {
      kernel.call(new FileCall.Flock(lock.descriptor(), FileCall.LOCK_EX | FileCall.LOCK_NB));
      return new BundleClaim(directory, owner, lock, isLeft);
    } catch (KernelException e) {
      lock.close();
      if (e.errno().equals(Errno.EAGAIN)) throw inUse(directory);
      throw e;
    }
  }

  private static ImageException inUse(Path directory) {
    return new ImageException(
        "a container "
            + directory.getFileName()
            + " that runs an image of this store exists already");
  }

  @Override
  public void close() {
    try {
      lock.close();
    } catch (KernelException e) {
      // it is closed all the same (close(2)), and nothing was written through it
    }
  }
}

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
import java.nio.file.Path;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// The right to a container's bundle, held by a lock on its directory while the container is being
/// made or watched; a crash releases it.
///
/// @param owner the directory of the containers' state, within which the id is unique; empty for
///   one who only collects
/// @param state what the directory was before
public record BundleClaim(Path directory, String owner, OwnedDescriptor lock, State state)
    implements AutoCloseable {
  /// What is in the directory.
  enum State {
    /// Nothing.
    EMPTY,
    /// The empty directories of a spare.
    SPARE,
    /// What an earlier run left: its container may be there still.
    LEFT
  }

  private static final int TRIES = 100;

  /// Users of the container may enter its root.
  private static final int MODE = 0711;

  String id() {
    return String.valueOf(directory.getFileName());
  }

  /// @param spare puts a spare in the place of a directory, where there is one
  static BundleClaim take(Kernel kernel, Path directory, String owner, Predicate<Path> spare) {
    BundleClaim claim = own(kernel, directory, owner, spare);
    if (claim.isLeft() && !Lease.of(directory).map(Lease::owner).orElse(owner).equals(owner)) {
      claim.close();
      throw inUse(directory);
    }
    return claim;
  }

  /// Whoever had the directory may take it away until it is locked, and then it is made again.
  private static BundleClaim own(
      Kernel kernel, Path directory, String owner, Predicate<Path> spare) {
    for (int i = 0; i < TRIES; i++) {
      State state = make(kernel, directory, spare);
      try {
        BundleClaim claim = lock(kernel, directory, owner, state);
        if (claim != null) return claim;
      } catch (KernelException e) {
        if (state == State.EMPTY) removeEmpty(kernel, directory);
        throw e;
      }
    }
    throw inUse(directory);
  }

  /// The claim to what an earlier run left; null where somebody has it, or has just taken it away.
  static @Nullable BundleClaim ofLeft(Kernel kernel, Path directory) {
    try {
      return lock(kernel, directory, "", State.LEFT);
    } catch (ImageException e) {
      return null;
    }
  }

  /// Whether an earlier run left the directory.
  public boolean isLeft() {
    return state == State.LEFT;
  }

  /// The directory of the state of the container that it was made for. Empty where whoever made it
  /// did not say, and so did not come as far as a container.
  String leasedTo() {
    return Lease.of(directory).map(Lease::owner).orElse("");
  }

  private static State make(Kernel kernel, Path directory, Predicate<Path> spare) {
    try {
      if (spare.test(directory)) return State.SPARE;
      kernel.call(new FileCall.Mkdirat(Descriptor.CWD, directory.toString(), MODE));
    } catch (KernelException e) {
      if (e.errno().equals(Errno.EEXIST)) return State.LEFT;
      throw e;
    }
    try {
      kernel.call(new FileCall.Fchmodat(Descriptor.CWD, directory.toString(), MODE));
      return State.EMPTY;
    } catch (KernelException e) {
      if (e.errno().equals(Errno.ENOENT)) return State.LEFT;
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
      Kernel kernel, Path directory, String owner, State state) {
    try {
      BundleClaim claim = lockOpened(kernel, directory, owner, state);
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

  private static BundleClaim lockOpened(Kernel kernel, Path directory, String owner, State state) {
    OwnedDescriptor lock =
        OwnedDescriptor.open(kernel, FileCall.Openat.directory(directory.toString()));
    try {
      kernel.call(new FileCall.Flock(lock.descriptor(), FileCall.LOCK_EX | FileCall.LOCK_NB));
      return new BundleClaim(directory, owner, lock, state);
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

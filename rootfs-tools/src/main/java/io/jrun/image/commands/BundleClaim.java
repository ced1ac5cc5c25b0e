package io.jrun.image.commands;

import io.jrun.image.ImageException;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.rootfs.IoFailure;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// The right to a container's bundle, held by a lock on its directory while the container is being
/// made or watched; a crash releases it.
///
/// @param isLeft whether an earlier run left the directory: its container may be there still
public record BundleClaim(Path directory, OwnedDescriptor lock, boolean isLeft)
    implements AutoCloseable {
  private static final String OWNER = "owner";
  private static final int TRIES = 100;

  /// @param owner the directory of the containers' state, within which the id is unique
  static BundleClaim take(Kernel kernel, Path directory, String owner) {
    try {
      Path parent = Objects.requireNonNull(directory.getParent());
      Files.createDirectories(parent);
      allowEntering(parent);
      BundleClaim claim = own(kernel, directory);
      boolean isLeft = claim.isLeft();
      try {
        if (isLeft) checkOwner(directory, owner);
        else Files.writeString(directory.resolve(OWNER), owner);
        return claim;
      } catch (IOException | RuntimeException e) {
        claim.close();
        throw e;
      }
    } catch (IOException e) {
      throw IoFailure.of("the bundle of " + directory.getFileName(), e);
    }
  }

  /// Whoever had the directory may remove it until it is locked, and then it is made again.
  private static BundleClaim own(Kernel kernel, Path directory) throws IOException {
    for (int i = 0; i < TRIES; i++) {
      try {
        BundleClaim claim = lock(kernel, directory, !make(directory));
        if (claim.isStillThere(kernel)) return claim;
        claim.close();
      } catch (NoSuchFileException e) {
        // gone between the two
      } catch (KernelException e) {
        if (!e.errno().equals(Errno.ENOENT)) throw e;
      }
    }
    throw inUse(directory);
  }

  private boolean isStillThere(Kernel kernel) {
    return kernel.call(new FileCall.Statx(lock.descriptor(), "", FileCall.AT_EMPTY_PATH)).links()
        > 0;
  }

  /// The claim to what an earlier run left; null where somebody has it, or has just removed it.
  static @Nullable BundleClaim ofLeft(Kernel kernel, Path directory) {
    try {
      BundleClaim claim = lock(kernel, directory, true);
      if (claim.isStillThere(kernel)) return claim;
      claim.close();
      return null;
    } catch (ImageException e) {
      return null;
    } catch (KernelException e) {
      if (e.errno().equals(Errno.ENOENT)) return null;
      throw e;
    }
  }

  /// Whether there is a container that it belongs to.
  boolean isOwned() {
    try {
      String owner = Files.readString(directory.resolve(OWNER));
      return Files.isDirectory(Path.of(owner).resolve(String.valueOf(directory.getFileName())));
    } catch (NoSuchFileException e) {
      return false; // whoever made it did not come that far
    } catch (IOException e) {
      throw IoFailure.of("the bundle " + directory, e);
    }
  }

  /// The container's root may be entered by users of the container.
  private static void allowEntering(Path directory) throws IOException {
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx--x--x"));
  }

  private static boolean make(Path directory) throws IOException {
    try {
      Files.createDirectory(directory);
      allowEntering(directory);
      return true;
    } catch (FileAlreadyExistsException e) {
      return false;
    }
  }

  private static BundleClaim lock(Kernel kernel, Path directory, boolean isLeft) {
    OwnedDescriptor lock =
        OwnedDescriptor.open(kernel, FileCall.Openat.directory(directory.toString()));
    try {
      kernel.call(new FileCall.Flock(lock.descriptor(), FileCall.LOCK_EX | FileCall.LOCK_NB));
      return new BundleClaim(directory, lock, isLeft);
    } catch (KernelException e) {
      lock.close();
      if (e.errno().equals(Errno.EAGAIN)) throw inUse(directory);
      throw e;
    }
  }

  private static void checkOwner(Path directory, String owner) throws IOException {
    try {
      if (!Files.readString(directory.resolve(OWNER)).equals(owner)) throw inUse(directory);
    } catch (NoSuchFileException e) {
      // whoever made it did not come that far
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
    lock.close();
  }
}

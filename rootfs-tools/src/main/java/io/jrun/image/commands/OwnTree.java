package io.jrun.image.commands;

import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.DirectoryEntry;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import java.nio.file.Path;
import java.util.UUID;

/// Removes a tree of the engine's own user by the engine itself, without following symbolic links
/// and without leaving the file system. Whoever filled the tree may have made it as deep as no path
/// can say, and deeper than descriptors may be open: what lies too deep is moved up first.
final class OwnTree {
  private static final int DEEPEST = 32;
  private static final int TRIES = 3;
  private static final int RECORDS = 8192;
  private static final int NO_LINKS =
      FileCall.RESOLVE_BENEATH
          | FileCall.RESOLVE_NO_SYMLINKS
          | FileCall.RESOLVE_NO_MAGICLINKS
          | FileCall.RESOLVE_NO_XDEV;
  private static final int DIRECTORY =
      FileCall.O_RDONLY | FileCall.O_DIRECTORY | FileCall.O_NOFOLLOW | FileCall.O_CLOEXEC;

  private final Kernel kernel;
  private final Descriptor top;
  private boolean hasMoved;

  private OwnTree(Kernel kernel, Descriptor top) {
    this.kernel = kernel;
    this.top = top;
  }

  /// Removes it, as far as it is there.
  ///
  /// @throws KernelException where something takes more rights, or is mounted
  static void remove(Kernel kernel, Path tree) {
    String path = tree.toString();
    try {
      boolean hasMore = true;
      while (hasMore) {
        try (OwnedDescriptor top = open(kernel, path)) {
          OwnTree removal = new OwnTree(kernel, top.descriptor());
          removal.clear(top.descriptor(), 0);
          hasMore = removal.hasMoved;
        }
      }
      kernel.call(new FileCall.Unlinkat(Descriptor.CWD, path, FileCall.AT_REMOVEDIR));
    } catch (KernelException e) {
      if (!e.errno().equals(Errno.ENOENT)) throw e;
    }
  }

  private static OwnedDescriptor open(Kernel kernel, String path) {
    return OwnedDescriptor.open(
        kernel, new FileCall.Openat(Descriptor.CWD, path, DIRECTORY, 0, false));
  }

  private void clear(Descriptor directory, int depth) {
    byte[] records;
    do {
      records = kernel.call(new FileCall.Getdents(directory, RECORDS));
      for (DirectoryEntry entry : DirectoryEntry.parse(records)) remove(directory, entry, depth);
    } while (records.length > 0);
  }

  private void remove(Descriptor directory, DirectoryEntry entry, int depth) {
    if (entry.type() != DirectoryEntry.DT_DIR && isUnlinked(directory, entry.name(), 0)) return;
    if (isUnlinked(directory, entry.name(), FileCall.AT_REMOVEDIR)) return;
    if (depth == DEEPEST) {
      String name = ".deep-" + UUID.randomUUID();
      kernel.call(
          new FileCall.Renameat2(directory, entry.name(), top, name, FileCall.RENAME_NOREPLACE));
      hasMoved = true;
      return;
    }
    for (int i = 0; i < TRIES; i++) { // a directory may tell less than all while it is emptied
      FileCall.Openat2 open =
          new FileCall.Openat2(directory, entry.name(), DIRECTORY, 0, NO_LINKS, false);
      try (OwnedDescriptor below = OwnedDescriptor.open(kernel, open)) {
        clear(below.descriptor(), depth + 1);
      }
      if (isUnlinked(directory, entry.name(), FileCall.AT_REMOVEDIR)) return;
    }
    kernel.call(new FileCall.Unlinkat(directory, entry.name(), FileCall.AT_REMOVEDIR));
  }

  /// False where it is a directory, or one that is not empty.
  private boolean isUnlinked(Descriptor directory, String name, int flags) {
    try {
      kernel.call(new FileCall.Unlinkat(directory, name, flags));
      return true;
    } catch (KernelException e) {
      if (e.errno().equals(Errno.ENOENT)) return true;
      if (e.errno().equals(Errno.EISDIR) || e.errno().equals(Errno.ENOTEMPTY)) return false;
      throw e;
    }
  }
}

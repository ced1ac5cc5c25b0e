package io.jrun.rootfs.unpack;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.DirectoryEntry;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.Names;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// Removes trees, without following symbolic links and without leaving the file system. Whoever
/// filled a tree may have made it as deep as no path can say: what lies too deep is moved up first.
public final class Removal {
  private static final int NO_LINKS =
      FileCall.RESOLVE_BENEATH
          | FileCall.RESOLVE_NO_SYMLINKS
          | FileCall.RESOLVE_NO_MAGICLINKS
          | FileCall.RESOLVE_NO_XDEV;
  private static final int CALLS = 1000;

  /// In bytes; a name more must still be a path.
  private static final int LONGEST = 2048;

  private final HelperKernel kernel;
  private boolean hasMoved;

  public Removal(HelperKernel kernel) {
    this.kernel = kernel;
  }

  /// Removes a directory or file of `directory`; nothing is there afterwards.
  public void remove(Descriptor directory, String name) {
    Batch batch = new Batch();
    Pending<?> unlink =
        batch.add(
            new FileCall.Unlinkat(directory, name, 0), Errno.ENOENT, Errno.EISDIR, Errno.EPERM);
    Results results = kernel.run(batch);
    if (results.succeeded(unlink) || results.errno(unlink) == Errno.ENOENT.value()) return;
    do {
      hasMoved = false;
      clear(directory, name, path -> false, name);
    } while (hasMoved);
    kernel.call(new FileCall.Unlinkat(directory, name, FileCall.AT_REMOVEDIR));
  }

  /// Removes what is in a directory, apart from the paths to keep; a directory with something to
  /// keep in it stays. No descriptor is open while what is below is cleared, however deep it is.
  ///
  /// @param keep is given the path from `directory` on, `path` included
  public void clear(Descriptor directory, String path, Predicate<String> keep) {
    clear(directory, path, keep, null);
  }

  /// @param top where to move what lies too deep; null where nothing does
  private void clear(
      Descriptor directory, String path, Predicate<String> keep, @Nullable String top) {
    List<String> files = new ArrayList<>();
    List<String> directories = new ArrayList<>();
    list(directory, path, files, directories);
    files.removeIf(name -> keep.test(Paths.join(path, name)));
    for (String name : directories) {
      String below = Paths.join(path, name);
      if (top != null && Names.encode(below).length > LONGEST) moveUp(directory, path, name, top);
      else clear(directory, below, keep, top);
    }
    directories.removeIf(name -> keep.test(Paths.join(path, name)));
    unlink(directory, path, files, 0);
    unlink(directory, path, directories, FileCall.AT_REMOVEDIR);
  }

  private void moveUp(Descriptor directory, String path, String name, String top) {
    Batch batch = new Batch();
    Descriptor from = batch.add(open(directory, path)).descriptor();
    Descriptor to = batch.add(open(directory, top)).descriptor();
    String free = ".deep-" + UUID.randomUUID();
    batch.add(new FileCall.Renameat2(from, name, to, free, FileCall.RENAME_NOREPLACE));
    batch.add(new FileCall.Close(from));
    batch.add(new FileCall.Close(to));
    kernel.run(batch);
    hasMoved = true;
  }

  private static FileCall.Openat2 open(Descriptor directory, String path) {
    return new FileCall.Openat2(
        directory,
        path.isEmpty() ? "." : path,
        FileCall.O_RDONLY | FileCall.O_DIRECTORY | FileCall.O_CLOEXEC,
        0,
        NO_LINKS,
        false);
  }

  private void list(
      Descriptor directory, String path, List<String> files, List<String> directories) {
    Batch batch = new Batch();
    Pending<Descriptor> opened = batch.add(open(directory, path));
    Pending<byte[]> first = batch.add(new FileCall.Getdents(opened.descriptor()));
    Results results = kernel.run(batch);
    Descriptor here = results.of(opened);
    try {
      List<DirectoryEntry> entries = new ArrayList<>();
      byte[] records = results.of(first);
      while (records.length > 0) {
        entries.addAll(DirectoryEntry.parse(records));
        records = kernel.call(new FileCall.Getdents(here));
      }
      for (DirectoryEntry entry : entries) {
        boolean isDirectory =
            entry.type() == DirectoryEntry.DT_UNKNOWN
                ? kernel
                    .call(new FileCall.Statx(here, entry.name(), FileCall.AT_SYMLINK_NOFOLLOW))
                    .isDirectory()
                : entry.type() == DirectoryEntry.DT_DIR;
        (isDirectory ? directories : files).add(entry.name());
      }
    } finally {
      kernel.call(new FileCall.Close(here));
    }
  }

  private void unlink(Descriptor directory, String path, List<String> names, int flags) {
    for (int from = 0; from < names.size(); from += CALLS) {
      Batch batch = new Batch();
      Descriptor here = batch.add(open(directory, path)).descriptor();
      for (String name : names.subList(from, Math.min(names.size(), from + CALLS))) {
        batch.add(new FileCall.Unlinkat(here, name, flags), Errno.ENOENT, Errno.ENOTEMPTY);
      }
      batch.add(new FileCall.Close(here));
      kernel.run(batch);
    }
  }

  /// Whether a directory has nothing in it.
  static boolean isEmpty(HelperKernel kernel, Descriptor directory) {
    return DirectoryEntry.parse(kernel.call(new FileCall.Getdents(directory))).isEmpty();
  }
}

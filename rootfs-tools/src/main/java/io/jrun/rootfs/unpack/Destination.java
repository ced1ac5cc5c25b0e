package io.jrun.rootfs.unpack;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.DirectoryEntry;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.rootfs.RootfsException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;

/// The directory that is being filled: a temporary one beside the one that is wanted, which takes
/// its name when all went well. Its lock tells it from what a killed process left, which the next
/// unpacking to the same name removes.
public final class Destination {
  private final HelperKernel writer;
  private final Descriptor parent;
  private final String name;
  private final String temporary;
  private final Descriptor root;
  private final boolean inPlace;
  private final boolean existed;

  private Destination(
      HelperKernel writer,
      Descriptor parent,
      String name,
      String temporary,
      Descriptor root,
      boolean inPlace,
      boolean existed) {
    this.writer = writer;
    this.parent = parent;
    this.name = name;
    this.temporary = temporary;
    this.root = root;
    this.inPlace = inPlace;
    this.existed = existed;
  }

  /// @param path as the caller gave it; it must be missing or an empty directory
  public static Destination open(HelperKernel writer, String path) {
    String clean = path.replaceAll("/+$", "");
    if (clean.isEmpty()) throw new RootfsException(path + ": not a directory to unpack to");
    int slash = clean.lastIndexOf('/');
    String parentPath = slash < 0 ? "." : slash == 0 ? "/" : clean.substring(0, slash);
    String name = clean.substring(slash + 1);
    Descriptor parent = writer.call(FileCall.Openat.directory(parentPath));
    if (name.equals(".") || name.equals("..")) return inPlace(writer, parent, path, name);
    Batch batch = new Batch();
    Pending<Descriptor> opened =
        batch.add(
            new FileCall.Openat2(
                parent,
                name,
                FileCall.O_RDONLY | FileCall.O_DIRECTORY | FileCall.O_NOFOLLOW | FileCall.O_CLOEXEC,
                0,
                FileCall.RESOLVE_NO_XDEV,
                false),
            Errno.ENOENT,
            Errno.EXDEV,
            Errno.ELOOP);
    Results results = writer.run(batch);
    boolean existed = results.succeeded(opened);
    if (!existed && results.errno(opened) != Errno.ENOENT.value()) {
      return inPlace(writer, parent, path, name); // a mount point, or a link to a directory
    }
    if (existed) {
      Descriptor there = results.of(opened);
      checkEmpty(writer, there, path);
      writer.call(new FileCall.Close(there));
    }
    String prefix = "." + name + ".jrun-";
    removeStale(writer, parent, prefix);
    byte[] random = new byte[6];
    ThreadLocalRandom.current().nextBytes(random);
    String temporary = prefix + HexFormat.of().formatHex(random);
    Batch make = new Batch();
    make.add(new FileCall.Mkdirat(parent, temporary, 0700));
    Pending<Descriptor> root = make.add(open(parent, temporary));
    make.add(new FileCall.Flock(root.descriptor(), FileCall.LOCK_EX | FileCall.LOCK_NB));
    return new Destination(
        writer, parent, name, temporary, writer.run(make).of(root), false, existed);
  }

  private static FileCall.Openat open(Descriptor parent, String name) {
    return new FileCall.Openat(
        parent, name, FileCall.O_RDONLY | FileCall.O_DIRECTORY | FileCall.O_CLOEXEC, 0, false);
  }

  private static Destination inPlace(
      HelperKernel writer, Descriptor parent, String path, String name) {
    Descriptor root = writer.call(open(parent, name));
    checkEmpty(writer, root, path);
    return new Destination(writer, parent, name, name, root, true, true);
  }

  private static void checkEmpty(HelperKernel writer, Descriptor directory, String path) {
    if (!Removal.isEmpty(writer, directory)) {
      throw new RootfsException(path + ": the directory is not empty");
    }
  }

  private static void removeStale(HelperKernel writer, Descriptor parent, String prefix) {
    List<DirectoryEntry> entries = new ArrayList<>();
    byte[] records;
    do {
      records = writer.call(new FileCall.Getdents(parent));
      entries.addAll(DirectoryEntry.parse(records));
    } while (records.length > 0);
    for (DirectoryEntry entry : entries) {
      if (!entry.name().startsWith(prefix)) continue;
      Batch batch = new Batch();
      Pending<Descriptor> left = batch.add(open(parent, entry.name()), Errno.ENOENT);
      Pending<?> lock =
          batch.add(
              new FileCall.Flock(left.descriptor(), FileCall.LOCK_EX | FileCall.LOCK_NB),
              Errno.EAGAIN);
      Results results = writer.run(batch);
      if (!results.succeeded(left)) continue;
      if (results.succeeded(lock)) new Removal(writer).remove(parent, entry.name());
      writer.call(new FileCall.Close(results.of(left)));
    }
  }

  /// Its descriptor in the writer.
  public Descriptor root() {
    return root;
  }

  /// Gives it its name.
  public void complete() {
    if (inPlace) return;
    try {
      writer.call(
          new FileCall.Renameat2(
              parent, temporary, parent, name, existed ? 0 : FileCall.RENAME_NOREPLACE));
    } catch (KernelException e) {
      // some file systems know no flags
      if (existed || !e.errno().equals(Errno.EINVAL)) throw e;
      writer.call(new FileCall.Renameat2(parent, temporary, parent, name, 0));
    }
  }

  /// Closes its descriptors in the writer.
  void close() {
    Batch batch = new Batch();
    batch.add(new FileCall.Close(root));
    batch.add(new FileCall.Close(parent));
    writer.run(batch);
  }

  /// Removes what was made; a failure becomes part of the one that led here.
  public void undo(Throwable cause) {
    try {
      Removal removal = new Removal(writer);
      if (inPlace) removal.clear(root, "", path -> false);
      else removal.remove(parent, temporary);
    } catch (RuntimeException e) {
      cause.addSuppressed(e);
    }
  }
}

package io.jrun.rootfs.pack;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.EntryStat;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.kernel.call.Stat;
import io.jrun.kernel.call.TreeCall;
import io.jrun.rootfs.RootfsException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Copies a tree that nobody changes meanwhile: content is shared where the file system can
/// (FICLONE), else copied in the kernel.
public final class TreeCopy {
  private static final int BENEATH =
      FileCall.RESOLVE_BENEATH | FileCall.RESOLVE_NO_SYMLINKS | FileCall.RESOLVE_NO_MAGICLINKS;
  private static final int CALLS = 1200;
  private static final long AT_ONCE = 1 << 30;

  private record Written(Pending<Long> call, long size, String path) {}

  private final HelperKernel process;
  private final TreeReader from;
  private final Descriptor to;
  private final Map<Long, String> links = new HashMap<>();
  private final boolean clones;
  private Batch batch = new Batch();
  private final List<Written> written = new ArrayList<>();

  private TreeCopy(HelperKernel process, TreeReader from, Descriptor to, boolean clones) {
    this.process = process;
    this.from = from;
    this.to = to;
    this.clones = clones;
  }

  /// @param onto a directory that is made
  public static void copy(HelperKernel process, String tree, String onto) {
    Batch batch = new Batch();
    batch.add(new FileCall.Mkdirat(Descriptor.CWD, onto, 0700));
    Pending<Descriptor> made = batch.add(FileCall.Openat.directory(onto));
    Descriptor to = process.run(batch).of(made);
    TreeReader from = new TreeReader(process, tree);
    TreeCopy copy = new TreeCopy(process, from, to, canClone(process, from, to));
    Node root = from.root();
    copy.directory(root);
    copy.flush();
    process.call(new FileCall.Close(to));
  }

  /// Whether the two share a file system that can share content; an empty file tells.
  private static boolean canClone(HelperKernel process, TreeReader from, Descriptor to) {
    String name = ".jrun-clone";
    Batch batch = new Batch();
    int flags = FileCall.O_WRONLY | FileCall.O_CREAT | FileCall.O_EXCL | FileCall.O_CLOEXEC;
    Descriptor made = batch.add(new FileCall.Openat(to, name, flags, 0600, false)).descriptor();
    Pending<Descriptor> some = batch.attempt(from.open(firstFile(from), FileCall.O_RDONLY, false));
    Pending<?> clone = batch.attempt(new TreeCall.Ficlone(made, some.descriptor()));
    batch.attempt(new FileCall.Close(some.descriptor()));
    batch.add(new FileCall.Close(made));
    batch.add(new FileCall.Unlinkat(to, name, 0));
    return process.run(batch).succeeded(clone);
  }

  /// Some file of the tree; the root where it has none, which cannot be cloned.
  private static String firstFile(TreeReader from) {
    List<Node> open = new ArrayList<>(List.of(from.root()));
    while (!open.isEmpty()) {
      for (Node node : from.children(open.removeLast().path())) {
        if (node.isFile()) return node.path();
        if (node.isDirectory()) open.add(node);
      }
    }
    return "";
  }

  /// Fills a directory that was made of mode 0700, and then describes it.
  private void directory(Node node) {
    List<Node> children = from.children(node.path());
    for (Node child : children) {
      room();
      if (child.isDirectory()) {
        Descriptor parent = into(node.path());
        batch.add(new FileCall.Mkdirat(parent, name(child), 0700));
        batch.add(new FileCall.Close(parent));
      } else {
        entry(node, child);
      }
    }
    for (Node child : children) if (child.isDirectory()) directory(child);
    room();
    Descriptor made =
        batch
            .add(
                new FileCall.Openat2(
                    to,
                    node.path().isEmpty() ? "." : node.path(),
                    FileCall.O_RDONLY | FileCall.O_DIRECTORY | FileCall.O_CLOEXEC,
                    0,
                    BENEATH,
                    false))
            .descriptor();
    describe(made, node);
    batch.add(new FileCall.Close(made));
  }

  private Descriptor into(String path) {
    return batch
        .add(
            new FileCall.Openat2(
                to,
                path.isEmpty() ? "." : path,
                FileCall.O_RDONLY | FileCall.O_DIRECTORY | FileCall.O_CLOEXEC,
                0,
                BENEATH,
                false))
        .descriptor();
  }

  private static String name(Node node) {
    return node.path().substring(node.path().lastIndexOf('/') + 1);
  }

  private void entry(Node parent, Node node) {
    EntryStat stat = node.stat();
    Descriptor directory = into(parent.path());
    String known = stat.links() > 1 ? links.putIfAbsent(stat.inode(), node.path()) : null;
    if (known != null) {
      int slash = known.lastIndexOf('/');
      Descriptor first = into(slash < 0 ? "" : known.substring(0, slash));
      batch.add(new TreeCall.Linkat(first, known.substring(slash + 1), directory, name(node)));
      batch.add(new FileCall.Close(first));
    } else if (node.isFile()) {
      file(directory, node);
    } else {
      if (stat.type() == Stat.S_IFLNK) {
        batch.add(new FileCall.Symlinkat(node.link(), directory, name(node)));
      } else {
        long device =
            stat.rdevMinor() & 0xff
                | stat.rdevMajor() << 8
                | (long) (stat.rdevMinor() & ~0xff) << 12;
        batch.add(new FileCall.Mknodat(directory, name(node), stat.mode() & 0170777, device));
      }
      named(directory, node);
    }
    batch.add(new FileCall.Close(directory));
  }

  private void file(Descriptor directory, Node node) {
    long size = node.stat().size();
    int flags = FileCall.O_WRONLY | FileCall.O_CREAT | FileCall.O_EXCL | FileCall.O_CLOEXEC;
    Descriptor file =
        batch.add(new FileCall.Openat(directory, name(node), flags, 0600, false)).descriptor();
    if (size > 0) {
      Descriptor source = batch.add(from.open(node.path(), FileCall.O_RDONLY, false)).descriptor();
      if (clones) {
        batch.add(new TreeCall.Ficlone(file, source));
      } else {
        for (long left = size; left > 0; left -= AT_ONCE) {
          long part = Math.min(left, AT_ONCE);
          written.add(
              new Written(batch.add(new FileCall.Sendfile(file, source, part)), part, node.path()));
        }
      }
      batch.add(new FileCall.Close(source));
    }
    describe(file, node);
    batch.add(new FileCall.Close(file));
  }

  /// An owner takes setuid and capabilities away, so modes and attributes come after it.
  private void describe(Descriptor file, Node node) {
    EntryStat stat = node.stat();
    batch.add(new TreeCall.Fchown(file, stat.uid(), stat.gid()));
    batch.add(new FileCall.Fchmod(file, stat.mode() & 07777));
    node.xattrs()
        .forEach((name, value) -> batch.attempt(new TreeCall.Fsetxattr(file, name, value)));
    batch.add(times(file, null, stat));
  }

  private void named(Descriptor directory, Node node) {
    EntryStat stat = node.stat();
    batch.add(
        new FileCall.Fchownat(
            directory, name(node), stat.uid(), stat.gid(), FileCall.AT_SYMLINK_NOFOLLOW));
    if (stat.type() != Stat.S_IFLNK && (stat.mode() & 07000) != 0) {
      batch.attempt(new TreeCall.Fchmodat2(directory, name(node), stat.mode() & 07777));
    }
    if (!node.xattrs().isEmpty()) {
      batch.add(new ProcessCall.Fchdir(directory));
      node.xattrs()
          .forEach((name, value) -> batch.attempt(new TreeCall.Lsetxattr(name(node), name, value)));
    }
    batch.add(times(directory, name(node), stat));
  }

  private static TreeCall.Utimensat times(
      Descriptor file, @org.jspecify.annotations.Nullable String name, EntryStat stat) {
    return new TreeCall.Utimensat(
        file, name, 0, TreeCall.UTIME_OMIT, stat.modifySeconds(), stat.modifyNanos());
  }

  private void room() {
    if (batch.size() > CALLS) flush();
  }

  private void flush() {
    Batch full = batch;
    batch = new Batch();
    if (full.isEmpty()) return;
    Results results = process.run(full);
    for (Written one : written) {
      if (results.of(one.call()) != one.size()) {
        throw new RootfsException(
            one.path() + ": only " + results.of(one.call()) + " bytes copied");
      }
    }
    written.clear();
  }
}

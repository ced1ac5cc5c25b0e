package io.jrun.rootfs.unpack;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.EntryStat;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.Names;
import io.jrun.kernel.call.Stat;
import io.jrun.kernel.call.TreeCall;
import java.util.Map;
import java.util.TreeMap;

/// What the layers below a layer make together. A layer that overlayfs stacks on them must say
/// itself what its directories are like, and where links of theirs lead.
public final class LowerTree implements AutoCloseable {
  private static final int BENEATH =
      FileCall.RESOLVE_BENEATH | FileCall.RESOLVE_NO_SYMLINKS | FileCall.RESOLVE_NO_MAGICLINKS;
  private static final int VALUE = 65536;
  private static final int ENODATA = 61;

  /// What is at a path of which no part is a link.
  sealed interface Found {}

  /// Nothing, or what hides it.
  record Nothing() implements Found {}

  record Directory(EntryStat stat, Map<String, byte[]> xattrs) implements Found {}

  record Link(String target) implements Found {}

  record File(EntryStat stat, Map<String, byte[]> xattrs) implements Found {}

  private final HelperKernel process;
  private final Descriptor root;

  /// @param root a directory, in the process
  public LowerTree(HelperKernel process, Descriptor root) {
    this.process = process;
    this.root = root;
  }

  @Override
  public void close() {
    process.call(new FileCall.Close(root));
  }

  Descriptor root() {
    return root;
  }

  Found look(String path) {
    Batch batch = new Batch();
    Pending<Descriptor> opened =
        batch.attempt(
            new FileCall.Openat2(
                root,
                path.isEmpty() ? "." : path,
                FileCall.O_PATH | FileCall.O_NOFOLLOW | FileCall.O_CLOEXEC,
                0,
                BENEATH,
                false));
    Pending<EntryStat> stat = batch.attempt(new TreeCall.StatEntry(opened.descriptor(), ""));
    Pending<String> link = batch.attempt(new FileCall.Readlinkat(opened.descriptor(), ""));
    batch.attempt(new FileCall.Close(opened.descriptor()));
    Results results = process.run(batch);
    if (!results.succeeded(stat)) return new Nothing();
    EntryStat found = results.of(stat);
    return switch (found.type()) {
      case Stat.S_IFDIR -> new Directory(found, xattrs(path));
      case Stat.S_IFREG -> new File(found, xattrs(path));
      case Stat.S_IFLNK -> results.succeeded(link) ? new Link(results.of(link)) : new Nothing();
      default -> new Nothing();
    };
  }

  private Map<String, byte[]> xattrs(String path) {
    Map<String, byte[]> xattrs = new TreeMap<>();
    Batch batch = new Batch();
    Pending<Descriptor> opened = batch.add(open(path));
    Pending<byte[]> listed =
        batch.add(new TreeCall.Flistxattr(opened.descriptor(), VALUE), Errno.EOPNOTSUPP);
    Results results = process.run(batch);
    Descriptor file = results.of(opened);
    try {
      if (!results.succeeded(listed)) return xattrs;
      byte[] list = results.of(listed);
      int start = 0;
      for (int i = 0; i < list.length; i++) {
        if (list[i] != 0) continue;
        String name = Names.decode(list, start, i - start);
        start = i + 1;
        if (name.startsWith("trusted.overlay.") || name.startsWith("user.overlay.")) continue;
        try {
          xattrs.put(name, process.call(new TreeCall.Fgetxattr(file, name, VALUE)));
        } catch (KernelException e) {
          // only others may read it
          if (e.errno().value() != ENODATA && !e.errno().equals(Errno.EPERM)) throw e;
        }
      }
      return xattrs;
    } finally {
      process.call(new FileCall.Close(file));
    }
  }

  /// A call that opens a file to read it.
  FileCall.Openat2 open(String path) {
    return new FileCall.Openat2(
        root,
        path.isEmpty() ? "." : path,
        FileCall.O_RDONLY | FileCall.O_NONBLOCK | FileCall.O_NOFOLLOW | FileCall.O_CLOEXEC,
        0,
        BENEATH,
        false);
  }
}

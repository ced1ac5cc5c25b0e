package io.jrun.runtime.mount;

import static io.jrun.kernel.call.FileCall.*;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.DirectoryEntry;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.Stat;
import io.jrun.kernel.call.TreeCall;
import java.util.ArrayList;
import java.util.List;

/// `tmpcopyup`: what the root file system has at a tmpfs's mount point is copied into the tmpfs
/// before it covers it: directories, files, symlinks, devices, with their owners and modes. The
/// process itself copies, so that ids are those of its user namespace; the contents do not pass
/// through the engine.
public final class CopyUp {
  /// As many files per batch, which are open at once.
  private static final int AT_ONCE = 64;

  private static final long CHUNK = 1L << 30;
  private static final int MODE = 07777;

  private final HelperKernel process;

  private CopyUp(HelperKernel process) {
    this.process = process;
  }

  /// Copies the content of one directory into another, which also gets its owner.
  ///
  /// @param mode whether it gets its mode too
  public static void copy(HelperKernel process, Descriptor from, Descriptor to, boolean mode) {
    new CopyUp(process).directory(from, to);
    Stat stat = process.call(new FileCall.Statx(from, "", AT_EMPTY_PATH));
    Batch batch = new Batch();
    batch.add(new TreeCall.Fchown(to, stat.uid(), stat.gid()), Errno.EINVAL, Errno.EPERM);
    if (mode) batch.add(new FileCall.Fchmod(to, stat.mode() & MODE));
    process.run(batch);
  }

  private record Entry(String name, Stat stat) {}

  private void directory(Descriptor from, Descriptor to) {
    List<Entry> entries = entries(from);
    for (int i = 0; i < entries.size(); i += AT_ONCE)
      files(from, to, entries.subList(i, Math.min(entries.size(), i + AT_ONCE)));
    for (Entry entry : entries) if (entry.stat().isDirectory()) below(from, to, entry);
  }

  private List<Entry> entries(Descriptor from) {
    List<String> names = new ArrayList<>();
    byte[] read;
    do {
      read = process.call(new FileCall.Getdents(from));
      for (DirectoryEntry entry : DirectoryEntry.parse(read)) names.add(entry.name());
    } while (read.length > 0);
    Batch batch = new Batch();
    List<Pending<Stat>> stats = new ArrayList<>();
    for (String name : names)
      stats.add(batch.add(new FileCall.Statx(from, name, AT_SYMLINK_NOFOLLOW)));
    Results results = process.run(batch);
    List<Entry> entries = new ArrayList<>();
    for (int i = 0; i < names.size(); i++)
      entries.add(new Entry(names.get(i), results.of(stats.get(i))));
    return entries;
  }

  /// All but directories; of these only the names are made.
  private void files(Descriptor from, Descriptor to, List<Entry> entries) {
    Batch reading = new Batch();
    List<Pending<String>> links = new ArrayList<>();
    for (Entry entry : entries)
      if (type(entry) == Stat.S_IFLNK)
        links.add(reading.add(new FileCall.Readlinkat(from, entry.name())));
    Results targets = process.run(reading);
    int link = 0;
    Batch batch = new Batch();
    for (Entry entry : entries) {
      Stat stat = entry.stat();
      switch (type(entry)) {
        case Stat.S_IFLNK ->
            batch.add(new FileCall.Symlinkat(targets.of(links.get(link++)), to, entry.name()));
        case Stat.S_IFREG -> file(batch, from, to, entry);
        case Stat.S_IFDIR -> batch.add(new FileCall.Mkdirat(to, entry.name(), stat.mode() & MODE));
        default ->
            // EPERM: only the first user namespace makes device nodes
            batch.add(
                new FileCall.Mknodat(
                    to,
                    entry.name(),
                    stat.mode(),
                    DevicePlan.makedev(stat.rdevMajor(), stat.rdevMinor())),
                Errno.EPERM);
      }
      // EINVAL: an id that the user namespace does not map
      batch.add(
          new FileCall.Fchownat(to, entry.name(), stat.uid(), stat.gid(), AT_SYMLINK_NOFOLLOW),
          Errno.EINVAL,
          Errno.EPERM,
          Errno.ENOENT);
      if (type(entry) != Stat.S_IFLNK)
        batch.add(new FileCall.Fchmodat(to, entry.name(), stat.mode() & MODE), Errno.ENOENT);
    }
    process.run(batch);
  }

  private static int type(Entry entry) {
    return entry.stat().mode() & Stat.S_IFMT;
  }

  private static void file(Batch batch, Descriptor from, Descriptor to, Entry entry) {
    Descriptor source =
        batch
            .add(
                new FileCall.Openat(
                    from, entry.name(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0, false))
            .descriptor();
    Descriptor copy =
        batch
            .add(
                new FileCall.Openat(
                    to,
                    entry.name(),
                    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                    0600,
                    false))
            .descriptor();
    for (long left = entry.stat().size(); left > 0; left -= CHUNK)
      batch.add(new FileCall.Sendfile(copy, source, Math.min(left, CHUNK)));
    batch.add(new FileCall.Close(copy));
    batch.add(new FileCall.Close(source));
  }

  private void below(Descriptor from, Descriptor to, Entry entry) {
    int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    Descriptor inner = process.call(new FileCall.Openat(from, entry.name(), flags, 0, false));
    Descriptor copy = process.call(new FileCall.Openat(to, entry.name(), flags, 0, false));
    directory(inner, copy);
    process.call(new FileCall.Close(inner));
    process.call(new FileCall.Close(copy));
  }
}

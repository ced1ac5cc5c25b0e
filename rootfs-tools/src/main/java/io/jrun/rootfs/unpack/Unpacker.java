package io.jrun.rootfs.unpack;

import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.EntryStat;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.Stat;
import io.jrun.kernel.call.TreeCall;
import io.jrun.rootfs.RootfsException;
import io.jrun.rootfs.stream.Segment;
import io.jrun.rootfs.stream.Segments;
import io.jrun.rootfs.tar.Entry;
import io.jrun.rootfs.tar.EntryType;
import io.jrun.rootfs.tar.TarInput;
import io.jrun.rootfs.tar.TarReader;
import io.jrun.rootfs.tar.Time;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Unpacks archives, layer upon layer, into an empty directory.
///
/// Names are resolved here, against what has been made; the kernel gets single names relative to
/// directories that it opened beneath the root, so neither the archive nor another process that
/// exchanges a directory for a link can lead a write out of it. Directories are of mode 0700 until
/// [#finish] describes them.
public final class Unpacker {
  private static final int NEW_FILE =
      FileCall.O_WRONLY
          | FileCall.O_CREAT
          | FileCall.O_EXCL
          | FileCall.O_NOFOLLOW
          | FileCall.O_CLOEXEC;

  /// More than the calls that one entry needs, extents and attributes apart.
  private static final int CALLS = 12;

  /// The most writes of one file in one batch.
  private static final int WRITES = 100;

  private final UnpackOptions options;
  private final Pipeline pipeline;
  private final Tree tree;
  private final Attributes attributes;
  private long entries;
  private long files;
  private long bytes;
  private long skippedDevices;
  private final @Nullable LowerTree lower;

  /// @param root the directory's descriptor in the writer
  /// @param lower what overlayfs will show below the only layer; null where there is nothing
  public Unpacker(
      HelperKernel writer, Descriptor root, UnpackOptions options, @Nullable LowerTree lower) {
    this.options = options;
    pipeline = new Pipeline(writer, root);
    tree = new Tree(pipeline, options.limits(), lower, options.rights().setsOwners());
    this.lower = lower;
    attributes = new Attributes(pipeline, options, Ownership.probe(writer, root));
  }

  /// Unpacks one layer, or the only archive.
  ///
  /// @param verified whether a digest proves that the stream is whole
  public void layer(Segments segments, boolean verified) {
    tree.nextLayer();
    try {
      TarReader reader =
          new TarReader(new TarInput(segments, segment -> passed(segment, segments)), verified);
      for (Entry entry = reader.next(); entry != null; entry = reader.next()) {
        if (++entries > options.limits().entries()) {
          throw new RootfsException(
              "the archive has more than " + options.limits().entries() + " entries, the limit");
        }
        unpack(entry, reader);
      }
      pipeline.drain();
    } catch (RuntimeException | OutOfMemoryError | InternalError e) {
      pipeline.abandon();
      throw e;
    }
  }

  /// A segment is free when what was taken from it is written, and the next may have to wait for
  /// one that is free.
  private void passed(Segment segment, Segments segments) {
    if (segment.isPassing()) pipeline.forget(segment.address(), segment.bytes().limit());
    pipeline.after(segment.release());
    while (!segments.isReady() && pipeline.await()) {}
  }

  /// Gives the directories their owners, modes and times; nothing may be unpacked afterwards.
  public Report finish() {
    try {
      describe(tree.root());
      pipeline.drain();
    } catch (RuntimeException e) {
      pipeline.abandon();
      throw e;
    }
    return new Report(entries, files, bytes, skippedDevices, pipeline.refused());
  }

  /// What is below comes first: a mode may take away the right to enter.
  private void describe(DirectoryNode node) {
    for (DirectoryNode child : node.children()) describe(child);
    pipeline.step(node.path, CALLS + 2 * node.xattrs.size());
    Descriptor directory = pipeline.openDirectory(node.path);
    attributes.directory(directory, node);
    pipeline.add(new FileCall.Close(directory));
  }

  private void unpack(Entry entry, TarReader reader) {
    String path = Paths.of(entry.name());
    if (path.isEmpty()) {
      if (entry.type() != EntryType.DIRECTORY) {
        throw new RootfsException(
            "\"" + entry.name() + "\": the root can only be a directory, not " + entry.type());
      }
      tree.root().describe(entry);
      return;
    }
    String name = Paths.name(path);
    if (options.whiteouts() != Whiteouts.LITERAL && name.startsWith(Whiteouts.PREFIX)) {
      whiteout(path, name);
      return;
    }
    DirectoryNode parent = tree.directory(Paths.parent(path));
    tree.touch(parent);
    if (entry.type() == EntryType.DIRECTORY) {
      DirectoryNode node = parent.child(name);
      if (node == null) node = tree.make(parent, name);
      node.layer = tree.layer();
      node.describe(entry);
      return;
    }
    String real = Paths.join(parent.path, name);
    if (entry.type() == EntryType.HARD_LINK && linksToItself(entry, real)) return;
    if (parent.child(name) != null) tree.remove(parent, name);
    Content content = entry.type() == EntryType.FILE ? new Content(entry, reader) : null;
    pipeline.step(real, CALLS + 2 * entry.xattrs().size() + WRITES);
    Descriptor directory = pipeline.directory(parent.path);
    boolean replaced = tree.mayHaveFile(real);
    switch (entry.type()) {
      case FILE -> {
        unlink(directory, name, replaced);
        file(entry, Objects.requireNonNull(content), real, directory, name);
      }
      case HARD_LINK -> hardLink(entry, real, parent, name, replaced);
      case SYMLINK -> {
        unlink(directory, name, replaced);
        if (entry.link().isEmpty()) throw new RootfsException(real + ": a link without a target");
        pipeline.add(new FileCall.Symlinkat(entry.link(), directory, name));
        attributes.named(directory, name, entry, real);
      }
      case FIFO -> {
        unlink(directory, name, replaced);
        pipeline.add(new FileCall.Mknodat(directory, name, Stat.S_IFIFO | entry.mode() & 0777, 0));
        attributes.named(directory, name, entry, real);
      }
      case CHARACTER_DEVICE, BLOCK_DEVICE -> device(entry, real, directory, name, replaced);
      case DIRECTORY -> throw new IllegalStateException();
    }
    tree.addFile(real);
  }

  private void unlink(Descriptor directory, String name, boolean replaced) {
    if (replaced) pipeline.add(new FileCall.Unlinkat(directory, name, 0), Errno.ENOENT);
  }

  private void file(Entry entry, Content content, String path, Descriptor directory, String name) {
    Descriptor file =
        pipeline
            .add(new FileCall.Openat(directory, name, NEW_FILE, entry.mode() & 0777, false))
            .descriptor();
    boolean isCarried = false;
    int writes = 0;
    for (TarInput.Piece piece = content.ahead(); piece != null; piece = content.ahead()) {
      pipeline.write(file, piece.address(), piece.length(), content.offset());
      if (++writes == WRITES || content.nextIsElsewhere()) {
        if (!isCarried) file = pipeline.carry(file);
        isCarried = true;
        content.advance();
        pipeline.step(path, CALLS + 2 * entry.xattrs().size() + WRITES);
        writes = 0;
      } else {
        content.advance();
      }
    }
    if (content.end() < entry.size()) pipeline.add(new FileCall.Ftruncate(file, entry.size()));
    attributes.file(file, entry, path);
    if (isCarried) pipeline.closeCarried();
    else pipeline.add(new FileCall.Close(file));
    files++;
    bytes += entry.stored();
  }

  private boolean linksToItself(Entry entry, String path) {
    String target = Paths.of(entry.link());
    return target.equals(path);
  }

  private void hardLink(
      Entry entry, String path, DirectoryNode parent, String name, boolean replaced) {
    String target = Paths.of(entry.link());
    if (target.isEmpty()) throw new RootfsException(path + ": a hard link to nothing");
    DirectoryNode from = tree.directory(Paths.parent(target));
    String targetName = Paths.name(target);
    String real = Paths.join(from.path, targetName);
    if (real.equals(path)) return;
    if (!tree.mayHaveFile(real)) copyUp(real, from, targetName);
    if (!tree.mayHaveFile(real)) {
      throw new RootfsException(
          path + ": a hard link to " + target + ", which the archive has not brought");
    }
    pipeline.step(path, CALLS);
    Descriptor directory = pipeline.directory(parent.path);
    Descriptor fromDirectory = pipeline.directory(from.path);
    unlink(directory, name, replaced);
    pipeline.add(new TreeCall.Linkat(fromDirectory, targetName, directory, name));
  }

  /// Copies a file of the layers below into this one, so that a link can be made to it.
  private void copyUp(String path, DirectoryNode directory, String name) {
    LowerTree below = lower;
    LowerTree.File file = tree.lowerFile(path);
    if (below == null || file == null) return;
    EntryStat stat = file.stat();
    pipeline.step(path, CALLS + WRITES + 2 * file.xattrs().size());
    Descriptor into = pipeline.directory(directory.path);
    Descriptor from = pipeline.add(below.open(path)).descriptor();
    Descriptor to =
        pipeline
            .add(new FileCall.Openat(into, name, NEW_FILE, stat.mode() & 0777, false))
            .descriptor();
    if (stat.size() > (long) WRITES << 30) throw new RootfsException(path + ": too large to copy");
    for (long left = stat.size(); left > 0; left -= 1 << 30) {
      pipeline.add(new FileCall.Sendfile(to, from, Math.min(left, 1 << 30)));
    }
    attributes.file(
        to,
        new Entry(
            path,
            EntryType.FILE,
            stat.mode() & 07777,
            options.rights().setsOwners() ? stat.uid() & 0xffff_ffffL : 0,
            options.rights().setsOwners() ? stat.gid() & 0xffff_ffffL : 0,
            new Time(stat.modifySeconds(), stat.modifyNanos()),
            null,
            "",
            0,
            0,
            stat.size(),
            stat.size(),
            null,
            file.xattrs()),
        path);
    pipeline.add(new FileCall.Close(from));
    pipeline.add(new FileCall.Close(to));
    tree.addFile(path);
  }

  private void device(
      Entry entry, String path, Descriptor directory, String name, boolean replaced) {
    unlink(directory, name, replaced);
    if (options.rights() != Rights.ALL) {
      skippedDevices++;
      return;
    }
    int kind = entry.type() == EntryType.BLOCK_DEVICE ? Stat.S_IFBLK : Stat.S_IFCHR;
    pipeline.add(
        new FileCall.Mknodat(
            directory, name, kind | entry.mode() & 0777, deviceNumber(entry, path)));
    attributes.named(directory, name, entry, path);
  }

  /// As makedev(3) and the kernel encode it: 12 bits of major, 20 of minor.
  private static long deviceNumber(Entry entry, String path) {
    if (entry.major() >>> 12 != 0 || entry.minor() >>> 20 != 0) {
      throw new RootfsException(
          path + ": there is no device " + entry.major() + ":" + entry.minor());
    }
    return entry.minor() & 0xff | entry.major() << 8 | (long) (entry.minor() & ~0xff) << 12;
  }

  /// A whiteout in what is no directory, or not there, hides nothing: some programs write one for
  /// each file of a directory that a file replaced.
  private void whiteout(String entry, String name) {
    boolean overlay = options.whiteouts() == Whiteouts.OVERLAY;
    DirectoryNode parent = tree.existing(Paths.parent(entry));
    if (parent == null) return;
    tree.touch(parent); // that the layer hides something in it says that it is there
    if (name.equals(Whiteouts.OPAQUE)) {
      if (overlay) parent.opaque = true;
      else tree.clearOfEarlierLayers(parent);
      return;
    }
    if (name.startsWith(Whiteouts.OWN)) return;
    String hidden = name.substring(Whiteouts.PREFIX.length());
    if (hidden.isEmpty() || hidden.equals(".") || hidden.equals("..")) {
      throw new RootfsException(Paths.join(parent.path, name) + ": a whiteout of nothing");
    }
    String path = Paths.join(parent.path, hidden);
    DirectoryNode node = parent.child(hidden);
    if (tree.isOfLayer(path)) {
      // what this layer brought stays, what earlier ones put there goes
      if (node != null && overlay) node.opaque = true;
      else if (node != null) tree.clearOfEarlierLayers(node);
      return;
    }
    if (node != null) tree.remove(parent, hidden);
    pipeline.step(path, CALLS);
    Descriptor directory = pipeline.directory(parent.path);
    if (node == null) unlink(directory, hidden, tree.mayHaveFile(path));
    if (overlay) {
      pipeline.add(new FileCall.Mknodat(directory, hidden, Stat.S_IFCHR, 0), Errno.EEXIST);
      tree.addFile(path);
      tree.hide(path);
    }
  }
}

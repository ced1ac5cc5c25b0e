package io.jrun.rootfs.pack;

import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.call.EntryStat;
import io.jrun.kernel.call.Names;
import io.jrun.kernel.call.Stat;
import io.jrun.rootfs.RootfsException;
import io.jrun.rootfs.codec.DirectOutput;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;

/// Writes a tree as an archive, or what of it is not as in another tree as a layer.
public final class Packer implements AutoCloseable {
  private static final String WHITEOUT = ".wh.";
  private static final String OPAQUE = ".wh..wh..opq";

  /// How to write.
  ///
  /// @param latest what is younger gets this time, in seconds; for archives that are reproducible
  ///   although the tree is made anew
  /// @param overlay whether the tree is the upper directory of an overlayfs, whose marks become
  ///   whiteouts
  public record Options(OptionalLong latest, boolean overlay) {}

  private final HelperKernel reader;
  private final ArchiveWindow window;
  private final TarWriter tar;
  private final Options options;
  private final Map<List<Long>, String> linked = new HashMap<>();
  private long skippedSockets;

  /// @param reader the process that reads the tree
  public Packer(Kernel kernel, HelperKernel reader, DirectOutput out, Options options) {
    this.reader = reader;
    this.window = new ArchiveWindow(kernel, reader, out);
    this.tar = new TarWriter(window);
    this.options = options;
  }

  /// How many sockets were left out; an archive cannot have them.
  public long skippedSockets() {
    return skippedSockets;
  }

  /// Writes all of a tree.
  public void tree(String path) throws IOException {
    TreeReader tree = new TreeReader(reader, path);
    header(tree.root());
    children(tree, "");
    end();
  }

  private void end() throws IOException {
    tar.end();
    window.finish();
  }

  /// Writes what is in a directory, and below it.
  private void children(TreeReader tree, String directory) throws IOException {
    DirectoriesAhead ahead = new DirectoriesAhead(tree);
    children(tree, ahead, ahead.children(List.of(directory)));
  }

  private void children(TreeReader tree, DirectoriesAhead ahead, List<Node> nodes)
      throws IOException {
    List<String> directories = nodes.stream().filter(Node::isDirectory).map(Node::path).toList();
    int next = 0;
    for (Node node : nodes) {
      if (node.isDirectory()) {
        header(node);
        List<Node> below = ahead.children(directories.subList(next++, directories.size()));
        children(tree, ahead, below);
      } else {
        write(tree, node);
      }
    }
  }

  private static List<Long> identity(Node node) {
    EntryStat stat = node.stat();
    return List.of(stat.inode(), (long) stat.deviceMajor() << 32 | stat.deviceMinor());
  }

  private void header(Node node) throws IOException {
    tar.entry(
        '5',
        node.path().isEmpty() ? "./" : node.path() + "/",
        clamped(node.stat()),
        "",
        0,
        xattrs(node));
    if (options.overlay() && node.isOpaque()) {
      tar.file(node.path().isEmpty() ? OPAQUE : node.path() + "/" + OPAQUE, 0);
    }
  }

  private Map<String, byte[]> xattrs(Node node) {
    if (node.xattrs().isEmpty()) return node.xattrs();
    if (node.xattrs().keySet().stream().noneMatch(name -> isDropped(name))) return node.xattrs();
    Map<String, byte[]> kept = new TreeMap<>(node.xattrs());
    kept.keySet().removeIf(this::isDropped);
    return kept;
  }

  /// Labels are of the machine, not of the tree.
  private boolean isDropped(String name) {
    return name.equals("security.selinux") || options.overlay() && Node.isOverlays(name);
  }

  private EntryStat clamped(EntryStat s) {
    if (options.latest().isEmpty() || s.modifySeconds() < options.latest().getAsLong()) return s;
    return new EntryStat(
        s.mode(),
        s.uid(),
        s.gid(),
        s.links(),
        s.inode(),
        s.size(),
        options.latest().getAsLong(),
        0,
        s.rdevMajor(),
        s.rdevMinor(),
        s.deviceMajor(),
        s.deviceMinor());
  }

  private void write(TreeReader tree, Node node) throws IOException {
    EntryStat stat = clamped(node.stat());
    if (options.overlay() && node.isOverlayWhiteout()) {
      whiteout(node.path());
      return;
    }
    if (node.stat().links() > 1) {
      String first = linked.putIfAbsent(identity(node), node.path());
      if (first != null) {
        tar.entry('1', node.path(), stat, first, 0, Map.of());
        return;
      }
    }
    switch (stat.type()) {
      case Stat.S_IFREG -> file(tree, node, stat);
      case Stat.S_IFLNK -> tar.entry('2', node.path(), stat, node.link(), 0, xattrs(node));
      case Stat.S_IFCHR -> tar.entry('3', node.path(), stat, "", 0, xattrs(node));
      case Stat.S_IFBLK -> tar.entry('4', node.path(), stat, "", 0, xattrs(node));
      case Stat.S_IFIFO -> tar.entry('6', node.path(), stat, "", 0, xattrs(node));
      case Stat.S_IFSOCK -> skippedSockets++;
      default -> throw new RootfsException(node.path() + ": a file of an unknown type");
    }
  }

  private void file(TreeReader tree, Node node, EntryStat stat) throws IOException {
    long size = node.stat().size();
    tar.entry('0', node.path(), stat, "", size, xattrs(node));
    if (size == 0) return;
    window.content(tree, node.path(), size);
    tar.pad(size);
  }

  private void whiteout(String path) throws IOException {
    int slash = path.lastIndexOf('/');
    tar.file(path.substring(0, slash + 1) + WHITEOUT + path.substring(slash + 1), 0);
  }

  /// Writes what of the upper tree is not as in the lower one, and whiteouts for what is only in
  /// the lower one.
  public void difference(String lower, String upper) throws IOException {
    TreeReader below = new TreeReader(reader, lower);
    TreeReader above = new TreeReader(reader, upper);
    if (!above.root().isLike(below.root())) header(above.root());
    difference(below, above, "");
    end();
  }

  private void difference(TreeReader below, TreeReader above, String path) throws IOException {
    Map<String, Node> old = new TreeMap<>(Packer::compare);
    for (Node node : below.children(path)) old.put(node.path(), node);
    List<Node> now = above.children(path);
    // whiteouts first, as image-spec recommends
    Map<String, Node> gone = new TreeMap<>(Packer::compare);
    gone.putAll(old);
    now.forEach(node -> gone.remove(node.path()));
    for (String name : gone.keySet()) whiteout(name);
    for (Node node : now) {
      Node before = old.get(node.path());
      if (before != null && before.isDirectory() && node.isDirectory()) {
        if (!node.isLike(before)) header(node);
        difference(below, above, node.path());
      } else if (before == null || !node.isLike(before)) {
        if (node.isDirectory()) {
          header(node);
          children(above, node.path());
        } else {
          write(above, node);
        }
      }
    }
  }

  private static int compare(String a, String b) {
    return Arrays.compareUnsigned(Names.encode(a), Names.encode(b));
  }

  @Override
  public void close() {
    window.close();
  }
}

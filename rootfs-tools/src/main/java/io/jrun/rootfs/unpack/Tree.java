package io.jrun.rootfs.unpack;

import io.jrun.kernel.Batch;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.EntryStat;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.rootfs.RootfsException;
import io.jrun.rootfs.tar.Time;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// What the unpacking has made so far: every directory, and the fingerprints of all else. So the
/// kernel is asked only where something stands in the way.
final class Tree {
  private static final String NO_LINK = "";

  private final Pipeline pipeline;
  private final Limits limits;
  private final DirectoryNode root = new DirectoryNode("", 0);
  private final Fingerprints files = new Fingerprints();
  private Fingerprints ofLayer = new Fingerprints();
  private int layer;
  private int directories;
  private @Nullable DirectoryNode last;
  private final @Nullable LowerTree lower;
  private final boolean ownersCount;

  /// What this layer hid by name; a directory made in its place later hides what is below it.
  private final Set<String> hidden = new HashSet<>();

  /// @param lower what lies below; null where nothing does
  /// @param ownersCount whether the owners in it are what an archive said
  Tree(Pipeline pipeline, Limits limits, @Nullable LowerTree lower, boolean ownersCount) {
    this.pipeline = pipeline;
    this.limits = limits;
    this.lower = lower;
    this.ownersCount = ownersCount;
    if (lower != null && lower.look("") instanceof LowerTree.Directory like) describe(root, like);
  }

  /// A directory that this layer does not describe is as it was.
  private void describe(DirectoryNode node, LowerTree.Directory like) {
    EntryStat stat = like.stat();
    node.mode = stat.mode() & 07777;
    if (ownersCount) {
      node.uid = stat.uid() & 0xffff_ffffL;
      node.gid = stat.gid() & 0xffff_ffffL;
    }
    node.modified = new Time(stat.modifySeconds(), stat.modifyNanos());
    node.xattrs = like.xattrs();
  }

  /// Notes that the layer hides a name.
  void hide(String path) {
    hidden.add(path);
  }

  /// A file of the layers below, by its path and that of links on the way.
  LowerTree.@Nullable File lowerFile(String path) {
    return lower != null
            && !hidden.contains(path)
            && lower.look(path) instanceof LowerTree.File file
        ? file
        : null;
  }

  DirectoryNode root() {
    return root;
  }

  int layer() {
    return layer;
  }

  /// What comes from now on belongs to the next layer.
  void nextLayer() {
    layer++;
    ofLayer = new Fingerprints();
  }

  @Nullable DirectoryNode find(String path) {
    DirectoryNode recent = last;
    if (recent != null && recent.path.equals(path)) return recent;
    DirectoryNode node = root;
    for (int at = 0; at < path.length() && node != null; ) {
      int slash = path.indexOf('/', at);
      int end = slash < 0 ? path.length() : slash;
      node = node.child(path.substring(at, end));
      at = end + 1;
    }
    if (node != null) last = node;
    return node;
  }

  boolean mayHaveFile(String path) {
    return files.contains(Fingerprints.of(path));
  }

  /// Notes that the layer has something in a directory, and so in those above it.
  void touch(DirectoryNode node) {
    for (DirectoryNode at = node; at.layer != layer; at = parent(at)) at.layer = layer;
  }

  /// Whether the current layer made what is there, or something in it.
  boolean isOfLayer(String path) {
    DirectoryNode node = find(path);
    return node != null ? node.layer == layer : ofLayer.contains(Fingerprints.of(path));
  }

  void addFile(String path) {
    long fingerprint = Fingerprints.of(path);
    files.add(fingerprint);
    ofLayer.add(fingerprint);
    if (!hidden.isEmpty()) hidden.remove(path);
  }

  /// The directory of that path, made where it is missing. Symbolic links that the archive brought
  /// are followed as if the root were `/`.
  DirectoryNode directory(String path) {
    DirectoryNode known = find(path);
    if (known != null) return known;
    DirectoryNode found = walk(path, true);
    if (found == null) {
      throw new RootfsException(path + " is not a directory in the archive, but has entries");
    }
    return found;
  }

  /// The directory of that path, if it is there.
  @Nullable DirectoryNode existing(String path) {
    DirectoryNode known = find(path);
    if (known != null) return known;
    // looked at first, as walking through directories of the layers below makes them this layer's
    return lower == null || isThere(path) ? walk(path, false) : null;
  }

  private @Nullable DirectoryNode walk(String path, boolean make) {
    Steps steps = new Steps(path);
    DirectoryNode node = root;
    while (steps.hasNext()) {
      String part = steps.next();
      if (part.equals("..")) {
        node = parent(node);
        continue;
      }
      DirectoryNode child = node.child(part);
      if (child == null) {
        switch (found(node, Paths.join(node.path, part))) {
          case null -> {
            return null;
          }
          case LowerTree.Link(String target) -> {
            steps.follow(target);
            if (target.startsWith("/")) node = root;
            continue;
          }
          case LowerTree.Directory like -> {
            child = make(node, part);
            describe(child, like);
          }
          case LowerTree.File _, LowerTree.Nothing _ -> {
            if (!make) return null;
            child = make(node, part);
          }
        }
      }
      node = child;
    }
    last = node;
    return node;
  }

  /// Whether a directory is there, made by this layer or by one below; nothing is made.
  private boolean isThere(String path) {
    Steps steps = new Steps(path);
    String at = "";
    DirectoryNode nearest = root; // of those that this layer has
    while (steps.hasNext()) {
      String part = steps.next();
      String here = part.equals("..") ? Paths.parent(at) : Paths.join(at, part);
      DirectoryNode node = find(here);
      if (node != null) {
        nearest = node;
      } else {
        switch (found(nearest, here)) {
          case LowerTree.Link(String target) -> {
            steps.follow(target);
            if (!target.startsWith("/")) continue;
            here = "";
            nearest = root;
          }
          case LowerTree.Directory _ -> {}
          case null, default -> {
            return false;
          }
        }
      }
      at = here;
    }
    return true;
  }

  /// What is at a path that is no directory of this layer; null where this layer has a file there.
  ///
  /// @param above the nearest directory of this layer that it is in
  private LowerTree.@Nullable Found found(DirectoryNode above, String path) {
    if (mayHaveFile(path) && !hidden.contains(path)) {
      String target = target(above, Paths.name(path));
      if (NO_LINK.equals(target)) return null;
      if (target != null) return new LowerTree.Link(target);
    }
    return below(above, path);
  }

  private LowerTree.Found below(DirectoryNode parent, String path) {
    return lower == null || hides(parent) || hidden.contains(path) || mayHaveFile(path)
        ? new LowerTree.Nothing()
        : lower.look(path);
  }

  /// Whether nothing of the layers below shows in a directory.
  private boolean hides(DirectoryNode node) {
    for (DirectoryNode at = node; !at.opaque; at = parent(at)) if (at.path.isEmpty()) return false;
    return true;
  }

  private DirectoryNode parent(DirectoryNode node) {
    if (node.path.isEmpty()) return root;
    DirectoryNode parent = find(Paths.parent(node.path));
    if (parent == null) throw new IllegalStateException("no parent of " + node.path);
    return parent;
  }

  /// The target of a symbolic link; empty where something else is there, null where nothing is.
  private @Nullable String target(DirectoryNode parent, String name) {
    Batch batch = new Batch();
    Descriptor directory = batch.add(open(parent.path)).descriptor();
    Pending<String> link =
        batch.add(new FileCall.Readlinkat(directory, name), Errno.ENOENT, Errno.EINVAL);
    batch.add(new FileCall.Close(directory));
    Results results = pipeline.run(batch);
    if (results.succeeded(link)) return results.of(link);
    return results.errno(link) == Errno.ENOENT.value() ? null : NO_LINK;
  }

  private FileCall.Openat2 open(String path) {
    return new FileCall.Openat2(
        pipeline.root(),
        path.isEmpty() ? "." : path,
        FileCall.O_PATH | FileCall.O_DIRECTORY | FileCall.O_CLOEXEC,
        0,
        FileCall.RESOLVE_BENEATH
            | FileCall.RESOLVE_NO_SYMLINKS
            | FileCall.RESOLVE_NO_MAGICLINKS
            | FileCall.RESOLVE_NO_XDEV,
        false);
  }

  /// Makes a directory where none is; a file in its place goes.
  DirectoryNode make(DirectoryNode parent, String name) {
    if (++directories > limits.directories()) {
      throw new RootfsException(
          "the archive has more than " + limits.directories() + " directories, the limit");
    }
    String path = Paths.join(parent.path, name);
    pipeline.step(path, 4);
    Descriptor directory = pipeline.directory(parent.path);
    if (mayHaveFile(path)) {
      pipeline.add(new FileCall.Unlinkat(directory, name, 0), Errno.ENOENT);
    }
    pipeline.add(new FileCall.Mkdirat(directory, name, 0700));
    touch(parent);
    DirectoryNode made = parent.addChild(name, layer);
    // a file of this layer has hidden what was there before it as well
    made.opaque = hidden.remove(path) || lower != null && mayHaveFile(path);
    return made;
  }

  /// Removes the directory of that name and all that is in it.
  void remove(DirectoryNode parent, String name) {
    pipeline.drain();
    last = null;
    Batch batch = new Batch();
    Pending<Descriptor> opened = batch.add(open(parent.path));
    Descriptor directory = pipeline.run(batch).of(opened);
    try {
      pipeline.removal().remove(directory, name);
    } catch (KernelException e) {
      throw new RootfsException(Paths.join(parent.path, name) + ": " + e.getMessage(), e);
    }
    Batch close = new Batch();
    close.add(new FileCall.Close(directory));
    pipeline.run(close);
    parent.removeChild(name);
  }

  /// Removes all that earlier layers put into a directory.
  void clearOfEarlierLayers(DirectoryNode node) {
    pipeline.drain();
    last = null;
    pipeline.removal().clear(pipeline.root(), node.path, this::isOfLayer);
    forgetEarlier(node);
  }

  private void forgetEarlier(DirectoryNode node) {
    for (DirectoryNode child : childrenOf(node)) {
      if (child.layer == layer) forgetEarlier(child);
      else node.removeChild(Paths.name(child.path));
    }
    last = null;
  }

  private static List<DirectoryNode> childrenOf(DirectoryNode node) {
    List<DirectoryNode> children = new ArrayList<>();
    node.children().forEach(children::add);
    return children;
  }
}

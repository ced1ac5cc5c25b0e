package io.jrun.rootfs.unpack;

import io.jrun.rootfs.tar.Entry;
import io.jrun.rootfs.tar.Time;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A directory that the unpacking made, and what it is to be like in the end.
final class DirectoryNode {
  final String path;
  private @Nullable Map<String, DirectoryNode> children;

  /// The last layer that had it.
  int layer;

  int mode = 0755;
  long uid;
  long gid;
  @Nullable Time modified;
  @Nullable Time access;
  Map<String, byte[]> xattrs = Map.of();
  boolean opaque;

  DirectoryNode(String path, int layer) {
    this.path = path;
    this.layer = layer;
  }

  @Nullable DirectoryNode child(String name) {
    return children == null ? null : children.get(name);
  }

  DirectoryNode addChild(String name, int layer) {
    if (children == null) children = new HashMap<>(4);
    DirectoryNode child = new DirectoryNode(Paths.join(path, name), layer);
    children.put(name, child);
    return child;
  }

  void removeChild(String name) {
    if (children != null) children.remove(name);
  }

  Iterable<DirectoryNode> children() {
    return children == null ? List.of() : children.values();
  }

  void describe(Entry entry) {
    mode = entry.mode();
    uid = entry.uid();
    gid = entry.gid();
    modified = entry.modified();
    access = entry.access();
    xattrs = entry.xattrs();
  }
}

package io.jrun.rootfs.pack;

import io.jrun.kernel.call.EntryStat;
import io.jrun.kernel.call.Stat;
import java.util.Arrays;
import java.util.Map;

/// A file of a tree.
///
/// @param path from the tree's root; empty for the root
/// @param link a symbolic link's target, else empty
record Node(String path, EntryStat stat, String link, Map<String, byte[]> xattrs) {
  private static final String OVERLAY = "trusted.overlay.";
  private static final String USER_OVERLAY = "user.overlay.";

  boolean isDirectory() {
    return stat.type() == Stat.S_IFDIR;
  }

  boolean isFile() {
    return stat.type() == Stat.S_IFREG;
  }

  /// overlayfs's mark of a file that is no more.
  boolean isOverlayWhiteout() {
    return stat.type() == Stat.S_IFCHR && stat.rdevMajor() == 0 && stat.rdevMinor() == 0;
  }

  /// overlayfs's mark of a directory that hides those below.
  boolean isOpaque() {
    byte[] yes = {'y'};
    return Arrays.equals(xattrs.get(OVERLAY + "opaque"), yes)
        || Arrays.equals(xattrs.get(USER_OVERLAY + "opaque"), yes);
  }

  static boolean isOverlays(String xattr) {
    return xattr.startsWith(OVERLAY) || xattr.startsWith(USER_OVERLAY);
  }

  /// Whether an archive would say the same of both; of directories, neither size nor time counts.
  boolean isLike(Node other) {
    EntryStat a = stat;
    EntryStat b = other.stat;
    return a.mode() == b.mode()
        && a.uid() == b.uid()
        && a.gid() == b.gid()
        && a.rdevMajor() == b.rdevMajor()
        && a.rdevMinor() == b.rdevMinor()
        && link.equals(other.link)
        && hasXattrsOf(other)
        && (isDirectory()
            || a.size() == b.size()
                && a.modifySeconds() == b.modifySeconds()
                && a.modifyNanos() == b.modifyNanos());
  }

  private boolean hasXattrsOf(Node other) {
    return xattrs.keySet().equals(other.xattrs.keySet())
        && xattrs.entrySet().stream()
            .allMatch(x -> Arrays.equals(x.getValue(), other.xattrs.get(x.getKey())));
  }
}

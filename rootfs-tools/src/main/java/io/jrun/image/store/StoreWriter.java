package io.jrun.image.store;

import io.jrun.image.Documents;
import io.jrun.rootfs.unpack.IdMap;
import io.jrun.rootfs.unpack.Rights;
import io.jrun.rootfs.unpack.UnpackOptions;
import io.jrun.rootfs.unpack.WriterProcess;
import java.nio.charset.StandardCharsets;
import java.util.function.Supplier;

/// As whom the trees of a store are written, stacked and removed: root itself, or an ordinary user
/// in a user namespace with the user's ids.
///
/// @param uids the ids that may own files; those of an archive are not changed by it
/// @param mapping tells one set of ids from another; empty for the host's own
/// @param start starts a child of the caller that has those ids, and may mount where nobody sees it
public record StoreWriter(
    Rights rights, IdMap uids, IdMap gids, String mapping, Supplier<WriterProcess> start) {
  private static final int DIGITS = 8;

  /// What it adds to the names of trees.
  String suffix() {
    if (mapping.isEmpty()) return "";
    byte[] text = mapping.getBytes(StandardCharsets.UTF_8);
    return "-" + Documents.digest(text).hex().substring(0, DIGITS);
  }

  /// What an overlayfs's options must say for its marks to be understood.
  public String overlayOptions() {
    return rights == Rights.ALL ? "" : ",userxattr";
  }

  UnpackOptions options(UnpackOptions limits) {
    return limits.with(rights, uids, gids);
  }
}

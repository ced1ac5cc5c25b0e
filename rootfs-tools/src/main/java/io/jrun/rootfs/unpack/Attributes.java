package io.jrun.rootfs.unpack;

import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.kernel.call.TreeCall;
import io.jrun.rootfs.tar.Entry;
import io.jrun.rootfs.tar.EntryType;
import io.jrun.rootfs.tar.Time;
import java.io.ByteArrayOutputStream;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Owners, modes, extended attributes and times, in the order in which each leaves the earlier ones
/// as they are: a change of owner takes setuid and capabilities away, a write the times.
final class Attributes {
  private static final int SPECIAL = 07000;
  private static final String OWNER = "user.rootlesscontainers";

  private final Pipeline pipeline;
  private final UnpackOptions options;
  private final Ownership created;

  Attributes(Pipeline pipeline, UnpackOptions options, Ownership created) {
    this.pipeline = pipeline;
    this.options = options;
    this.created = created;
  }

  /// Of a regular file that was made with the permission bits of its mode.
  void file(Descriptor file, Entry entry, String path) {
    long uid = options.uids().outside(entry.uid(), path);
    long gid = options.gids().outside(entry.gid(), path);
    own(file, uid, gid, entry.uid(), entry.gid());
    if ((entry.mode() & SPECIAL) != 0) pipeline.add(new FileCall.Fchmod(file, entry.mode()));
    xattrs(file, entry.xattrs());
    times(file, null, entry.modified(), entry.access());
  }

  void directory(Descriptor directory, DirectoryNode node) {
    long uid = options.uids().outside(node.uid, node.path);
    long gid = options.gids().outside(node.gid, node.path);
    own(directory, uid, gid, node.uid, node.gid);
    xattrs(directory, node.xattrs);
    if (node.opaque) {
      String name = options.rights().overlayMarks() + "opaque";
      pipeline.add(new TreeCall.Fsetxattr(directory, name, new byte[] {'y'}));
    }
    if (node.mode != 0700 || !created.steady()) {
      pipeline.add(new FileCall.Fchmod(directory, node.mode));
    }
    Time modified = node.modified;
    if (modified != null) times(directory, null, modified, node.access);
  }

  private void own(Descriptor file, long uid, long gid, long inside, long insideGroup) {
    if (!options.rights().setsOwners()) {
      if (inside != 0 || insideGroup != 0) {
        pipeline.attempt(new TreeCall.Fsetxattr(file, OWNER, owner(inside, insideGroup)));
      }
    } else if (!created.is(uid, gid)) {
      pipeline.add(new TreeCall.Fchown(file, (int) uid, (int) gid));
    }
  }

  private void xattrs(Descriptor file, Map<String, byte[]> xattrs) {
    xattrs.forEach((name, value) -> pipeline.attempt(new TreeCall.Fsetxattr(file, name, value)));
  }

  /// Of what cannot be opened: links, devices and FIFOs.
  void named(Descriptor directory, String name, Entry entry, String path) {
    long uid = options.uids().outside(entry.uid(), path);
    long gid = options.gids().outside(entry.gid(), path);
    if (options.rights().setsOwners() && !created.is(uid, gid)) {
      pipeline.add(
          new FileCall.Fchownat(
              directory, name, (int) uid, (int) gid, FileCall.AT_SYMLINK_NOFOLLOW));
    }
    if (entry.type() != EntryType.SYMLINK && (entry.mode() & SPECIAL) != 0) {
      pipeline.attempt(new TreeCall.Fchmodat2(directory, name, entry.mode()));
    }
    if (!entry.xattrs().isEmpty()) {
      pipeline.add(new ProcessCall.Fchdir(directory));
      entry
          .xattrs()
          .forEach((key, value) -> pipeline.attempt(new TreeCall.Lsetxattr(name, key, value)));
    }
    times(directory, name, entry.modified(), entry.access());
  }

  private void times(Descriptor file, @Nullable String name, Time modified, @Nullable Time access) {
    pipeline.add(
        new TreeCall.Utimensat(
            file,
            name,
            access == null ? 0 : access.seconds(),
            access == null ? TreeCall.UTIME_OMIT : access.nanos(),
            modified.seconds(),
            modified.nanos()));
  }

  /// The message `Resource { uint32 uid = 1; uint32 gid = 2; }` of rootlesscontainers.proto, as
  /// umoci and others write it.
  static byte[] owner(long uid, long gid) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    varint(out, 1, uid);
    varint(out, 2, gid);
    return out.toByteArray();
  }

  private static void varint(ByteArrayOutputStream out, int field, long value) {
    if (value == 0) return;
    out.write(field << 3);
    for (; value > 0x7f; value >>>= 7) out.write((int) (value & 0x7f | 0x80));
    out.write((int) value);
  }
}

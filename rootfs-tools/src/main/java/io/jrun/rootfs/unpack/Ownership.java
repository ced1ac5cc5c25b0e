package io.jrun.rootfs.unpack;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.Stat;
import io.jrun.kernel.call.TreeCall;

/// Who owns what is newly made in a directory, so that owners are set only where they differ.
///
/// @param steady whether that is so in each directory below as well
record Ownership(int uid, int gid, boolean steady) {
  private static final String PROBE = ".jrun-probe";

  /// Makes a directory to see, and takes away access control lists that what is made would inherit.
  static Ownership probe(HelperKernel writer, Descriptor root) {
    Batch batch = new Batch();
    batch.add(
        new TreeCall.Fremovexattr(root, "system.posix_acl_default"),
        Errno.of(61), // ENODATA: it has none
        Errno.EOPNOTSUPP);
    batch.add(new FileCall.Mkdirat(root, PROBE, 0700));
    Pending<Stat> made = batch.add(new FileCall.Statx(root, PROBE, FileCall.AT_SYMLINK_NOFOLLOW));
    batch.add(new FileCall.Unlinkat(root, PROBE, FileCall.AT_REMOVEDIR));
    Results results = writer.run(batch);
    Stat stat = results.of(made);
    boolean inheritsGroup = (stat.mode() & 02000) != 0;
    return new Ownership(stat.uid(), stat.gid(), !inheritsGroup);
  }

  boolean is(long uid, long gid) {
    return steady && this.uid == (int) uid && this.gid == (int) gid;
  }
}

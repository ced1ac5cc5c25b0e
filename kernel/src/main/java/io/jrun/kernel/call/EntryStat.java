package io.jrun.kernel.call;

import java.nio.ByteBuffer;

/// What statx(2) says of a file that an archive records.
public record EntryStat(
    int mode,
    int uid,
    int gid,
    int links,
    long inode,
    long size,
    long modifySeconds,
    int modifyNanos,
    int rdevMajor,
    int rdevMinor,
    int deviceMajor,
    int deviceMinor) {
  static final int SIZE = 256;

  static EntryStat of(ByteBuffer b) {
    return new EntryStat(
        b.getShort(28) & 0xffff,
        b.getInt(20),
        b.getInt(24),
        b.getInt(16),
        b.getLong(32),
        b.getLong(40),
        b.getLong(112),
        b.getInt(120),
        b.getInt(128),
        b.getInt(132),
        b.getInt(136),
        b.getInt(140));
  }

  /// The kind of file: S_IFREG and others of [Stat].
  public int type() {
    return mode & Stat.S_IFMT;
  }
}

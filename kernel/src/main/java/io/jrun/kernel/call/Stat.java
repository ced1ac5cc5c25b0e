package io.jrun.kernel.call;

import java.nio.ByteBuffer;

/// What statx(2) says of a file; the device numbers as major and minor.
public record Stat(
    int links,
    int mode,
    int uid,
    int gid,
    long inode,
    long size,
    int deviceMajor,
    int deviceMinor,
    int rdevMajor,
    int rdevMinor) {
  static final int SIZE = 256;

  public static final int S_IFMT = 0170000;
  public static final int S_IFSOCK = 0140000;
  public static final int S_IFLNK = 0120000;
  public static final int S_IFREG = 0100000;
  public static final int S_IFBLK = 0060000;
  public static final int S_IFDIR = 0040000;
  public static final int S_IFCHR = 0020000;
  public static final int S_IFIFO = 0010000;

  static Stat of(ByteBuffer b) {
    return new Stat(
        b.getInt(16),
        b.getShort(28) & 0xffff,
        b.getInt(20),
        b.getInt(24),
        b.getLong(32),
        b.getLong(40),
        b.getInt(136),
        b.getInt(140),
        b.getInt(128),
        b.getInt(132));
  }

  public boolean isDirectory() {
    return (mode & S_IFMT) == S_IFDIR;
  }

  public boolean isCharacterDevice(int major, int minor) {
    return (mode & S_IFMT) == S_IFCHR && rdevMajor == major && rdevMinor == minor;
  }
}

package io.jrun.kernel.call;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/// A name in a directory, as getdents64(2) lists it.
///
/// @param type one of the DT_ numbers of readdir(3); DT_UNKNOWN where the file system does not say
public record DirectoryEntry(String name, int type) {
  public static final int DT_UNKNOWN = 0;
  public static final int DT_DIR = 4;
  public static final int DT_LNK = 10;

  private static final int LENGTH = 16;
  private static final int TYPE = 18;
  private static final int NAME = 19;

  /// Parses what one call returned, an array of `struct linux_dirent64 { u64 inode, u64 offset, u16
  /// length, u8 type, name and NUL }`, without `.` and `..`.
  public static List<DirectoryEntry> parse(byte[] records) {
    ByteBuffer buffer = ByteBuffer.wrap(records).order(ByteOrder.nativeOrder());
    List<DirectoryEntry> entries = new ArrayList<>();
    for (int at = 0; at < records.length; at += buffer.getShort(at + LENGTH) & 0xffff) {
      int end = at + NAME;
      while (records[end] != 0) end++;
      String name = Names.decode(records, at + NAME, end - at - NAME);
      if (!name.equals(".") && !name.equals(".."))
        entries.add(new DirectoryEntry(name, records[at + TYPE]));
    }
    return entries;
  }
}

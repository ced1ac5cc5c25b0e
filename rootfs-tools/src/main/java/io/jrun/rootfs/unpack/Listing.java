package io.jrun.rootfs.unpack;

import io.jrun.kernel.call.Names;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/// The records of getdents64(2).
public final class Listing {
  /// d_type of a directory, and of what the file system does not tell.
  public static final int DT_DIR = 4;

  public static final int DT_UNKNOWN = 0;
  public static final int DT_LNK = 10;

  /// A name and its type as readdir(3) has it.
  public record Name(String name, int type) {}

  private Listing() {}

  /// Adds the names, apart from `.` and `..`.
  public static void parse(byte[] records, List<Name> into) {
    ByteBuffer buffer = ByteBuffer.wrap(records).order(ByteOrder.nativeOrder());
    int at = 0;
    while (at < records.length) {
      int length = buffer.getShort(at + 16) & 0xffff;
      int end = at + 19;
      while (records[end] != 0) end++;
      String name = Names.decode(records, at + 19, end - at - 19);
      if (!name.equals(".") && !name.equals("..")) into.add(new Name(name, records[at + 18]));
      at += length;
    }
  }
}

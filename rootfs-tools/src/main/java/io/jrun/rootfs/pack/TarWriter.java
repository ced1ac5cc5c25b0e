package io.jrun.rootfs.pack;

import io.jrun.kernel.call.EntryStat;
import io.jrun.kernel.call.Names;
import io.jrun.kernel.call.Stat;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/// Writes archives in PAX format. The same tree gives the same bytes: owners are numbers, records
/// come in the order of their keys, and nothing is said that is not of the tree.
public final class TarWriter {
  private static final int BLOCK = 512;
  private static final long MOST_OCTAL_ID = 07777777;
  private static final long MOST_OCTAL = 077777777777L;

  private final OutputStream out;
  private final byte[] header = new byte[BLOCK];

  public TarWriter(OutputStream out) {
    this.out = out;
  }

  /// A header, with an extended one before it where that is needed. After a file's, its content
  /// must be written, and [#pad].
  void entry(
      char type, String path, EntryStat stat, String link, long size, Map<String, byte[]> xattrs)
      throws IOException {
    TreeMap<String, byte[]> records = new TreeMap<>();
    byte[] name = Names.encode(path);
    byte[] target = Names.encode(link);
    if (name.length > 100 || !isAscii(name)) records.put("path", name);
    if (target.length > 100 || !isAscii(target)) records.put("linkpath", target);
    if (size > MOST_OCTAL) records.put("size", number(size));
    long uid = stat.uid() & 0xffff_ffffL;
    long gid = stat.gid() & 0xffff_ffffL;
    if (uid > MOST_OCTAL_ID) records.put("uid", number(uid));
    if (gid > MOST_OCTAL_ID) records.put("gid", number(gid));
    if (stat.modifyNanos() != 0 || stat.modifySeconds() < 0 || stat.modifySeconds() > MOST_OCTAL) {
      records.put("mtime", time(stat.modifySeconds(), stat.modifyNanos()));
    }
    xattrs.forEach((key, value) -> records.put("SCHILY.xattr." + key, value));
    if (!records.isEmpty()) extended(records);
    block(type, name, stat, target, size, uid, gid);
  }

  private static byte[] number(long value) {
    return Long.toString(value).getBytes(StandardCharsets.US_ASCII);
  }

  private static byte[] time(long seconds, int nanos) {
    String sign = "";
    if (seconds < 0 && nanos > 0) {
      seconds++;
      nanos = 1_000_000_000 - nanos;
      if (seconds == 0) sign = "-";
    }
    String text = sign + seconds;
    if (nanos > 0) text += fraction(nanos);
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  /// `.5` for half a second: without zeros at its end. Nearly every file has one, which is too
  /// often for a format and a regular expression.
  private static String fraction(int nanos) {
    char[] digits = ".000000000".toCharArray();
    int length = 1;
    for (int i = 9; i > 0; i--, nanos /= 10) {
      digits[i] = (char) ('0' + nanos % 10);
      if (length == 1 && digits[i] != '0') length = i + 1;
    }
    return new String(digits, 0, length);
  }

  private static boolean isAscii(byte[] bytes) {
    for (byte b : bytes) if (b < 0) return false;
    return true;
  }

  private void extended(SortedMap<String, byte[]> records) throws IOException {
    ByteArrayOutputStream content = new ByteArrayOutputStream();
    for (Map.Entry<String, byte[]> record : records.entrySet()) {
      byte[] key = Names.encode(record.getKey());
      int bytes = key.length + record.getValue().length + 3;
      int length = bytes + Integer.toString(bytes).length();
      length = bytes + Integer.toString(length).length();
      content.writeBytes((length + " ").getBytes(StandardCharsets.US_ASCII));
      content.writeBytes(key);
      content.write('=');
      content.writeBytes(record.getValue());
      content.write('\n');
    }
    EntryStat none = new EntryStat(0644, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0);
    byte[] name = "PaxHeaders/entry".getBytes(StandardCharsets.US_ASCII);
    block('x', name, none, new byte[0], content.size(), 0, 0);
    content.writeTo(out);
    pad(content.size());
  }

  private void block(
      char type, byte[] name, EntryStat stat, byte[] link, long size, long uid, long gid)
      throws IOException {
    Arrays.fill(header, (byte) 0);
    System.arraycopy(name, 0, header, 0, Math.min(100, name.length));
    octal(100, 8, stat.mode() & 07777);
    octal(108, 8, uid > MOST_OCTAL_ID ? 0 : uid);
    octal(116, 8, gid > MOST_OCTAL_ID ? 0 : gid);
    octal(124, 12, size > MOST_OCTAL ? 0 : size);
    long seconds = stat.modifySeconds();
    octal(136, 12, seconds < 0 || seconds > MOST_OCTAL ? 0 : seconds);
    header[156] = (byte) type;
    System.arraycopy(link, 0, header, 157, Math.min(100, link.length));
    byte[] magic = "ustar\00000".getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(magic, 0, header, 257, magic.length);
    boolean device = type == '3' || type == '4';
    octal(329, 8, device ? stat.rdevMajor() : 0);
    octal(337, 8, device ? stat.rdevMinor() : 0);
    long sum = 8 * ' ';
    for (byte b : header) sum += b & 0xff;
    octal(148, 7, sum);
    header[155] = ' ';
    out.write(header);
  }

  private void octal(int at, int size, long value) {
    for (int i = at + size - 2; i >= at; i--) {
      header[i] = (byte) ('0' + (value & 7));
      value >>>= 3;
    }
  }

  /// Fills up the block after content of that size.
  void pad(long size) throws IOException {
    out.write(new byte[(int) (-size & BLOCK - 1)]);
  }

  /// Adds a file that no tree has: root's, of time 0.
  public void file(String path, byte[] content) throws IOException {
    file(path, content.length);
    out.write(content);
    pad(content.length);
  }

  /// Begins such a file; its content must follow, and [#endFile].
  public void file(String path, long size) throws IOException {
    EntryStat stat = new EntryStat(Stat.S_IFREG | 0644, 0, 0, 1, 0, size, 0, 0, 0, 0, 0, 0);
    entry('0', path, stat, "", size, Map.of());
  }

  public void endFile(long size) throws IOException {
    pad(size);
  }

  /// Says that the archive ends.
  public void end() throws IOException {
    out.write(new byte[2 * BLOCK]);
    out.flush();
  }
}

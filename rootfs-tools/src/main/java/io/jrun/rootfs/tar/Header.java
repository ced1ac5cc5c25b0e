package io.jrun.rootfs.tar;

import io.jrun.kernel.call.Names;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/// One header block: fields by their offsets.
final class Header {
  private static final byte[] USTAR = {'u', 's', 't', 'a', 'r', 0};
  private static final int CHECKSUM = 148;
  private static final long EVEN = 0x00ff_00ff_00ff_00ffL;
  private static final VarHandle LONGS =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.nativeOrder());

  final byte[] block;

  Header(byte[] block) {
    this.block = block;
  }

  boolean isZero() {
    for (byte b : block) if (b != 0) return false;
    return true;
  }

  /// The sum of all bytes, the checksum's own field taken as spaces; some old programs summed
  /// signed bytes.
  boolean checksumIsRight() {
    long sum = 0;
    long own = 0;
    for (int i = CHECKSUM; i < CHECKSUM + 8; i++) own += block[i] & 0xff;
    for (int i = CHECKSUM; i < CHECKSUM + 8 && block[i] != 0; i++) {
      if (block[i] == ' ') continue;
      if (block[i] < '0' || block[i] > '7') return false;
      sum = sum << 3 | block[i] - '0';
    }
    return sum == 8 * ' ' + bytes() - own || sum == signed();
  }

  /// All bytes together, eight at a time: four sums of 16 bits, in which 128 bytes have room.
  private long bytes() {
    long sums = 0;
    for (int i = 0; i < block.length; i += Long.BYTES) {
      long eight = (long) LONGS.get(block, i);
      sums += (eight & EVEN) + (eight >>> 8 & EVEN);
    }
    return (sums & 0xffff) + (sums >>> 16 & 0xffff) + (sums >>> 32 & 0xffff) + (sums >>> 48);
  }

  private long signed() {
    long signed = 8 * ' ';
    for (int i = 0; i < block.length; i++) {
      if (i < CHECKSUM || i >= CHECKSUM + 8) signed += block[i];
    }
    return signed;
  }

  char type() {
    return (char) (block[156] & 0xff);
  }

  private boolean isUstar() {
    return Arrays.equals(block, 257, 263, USTAR, 0, 6);
  }

  private boolean isStar() {
    return block[508] == 't' && block[509] == 'a' && block[510] == 'r' && block[511] == 0;
  }

  String name() {
    String name = text(0, 100);
    if (!isUstar()) return name;
    String prefix = text(345, isStar() ? 131 : 155);
    return prefix.isEmpty() ? name : prefix + "/" + name;
  }

  String link() {
    return text(157, 100);
  }

  private String text(int offset, int size) {
    int end = offset;
    while (end < offset + size && block[end] != 0) end++;
    return Names.decode(block, offset, end - offset);
  }

  /// A number in octal, or in base 256 when the first bit is set.
  long number(int offset, int size, String field) {
    if ((block[offset] & 0x80) != 0) return binary(offset, size, field);
    int at = offset;
    int end = offset + size;
    while (at < end && (block[at] == ' ' || block[at] == 0)) at++;
    long value = 0;
    for (; at < end && block[at] != 0 && block[at] != ' '; at++) {
      int digit = block[at] - '0';
      if (digit < 0 || digit > 7 || value >>> 60 != 0) {
        throw new TarException("a header's " + field + " is not a number: " + text(offset, size));
      }
      value = value << 3 | digit;
    }
    return value;
  }

  private long binary(int offset, int size, String field) {
    boolean negative = (block[offset] & 0x40) != 0;
    long value = negative ? -1 : 0;
    for (int i = offset; i < offset + size; i++) {
      int digit = block[i] & 0xff;
      if (i == offset) digit = negative ? digit | 0x80 : digit & 0x7f;
      if (i < offset + size - 8) {
        if (digit != (negative ? 0xff : 0)) {
          throw new TarException("a header's " + field + " is too large");
        }
        continue;
      }
      value = value << 8 | digit;
    }
    if (negative != value < 0) throw new TarException("a header's " + field + " is too large");
    return value;
  }
}

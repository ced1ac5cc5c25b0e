package io.jrun.rootfs.codec;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;
import java.util.zip.CRC32;

/// Intel's ISA-L, a decoder of deflate several times as fast as zlib (igzip_lib.h); pointers are
/// longs. Its state is a structure whose layout all releases of libisal.so.2 share; a trial
/// decoding when it is loaded makes sure of that.
public interface Isal {
  Optional<Isal> LOADED = NativeLibrary.load(Isal.class, "libisal.so.2").filter(Isal::works);

  int NEXT_OUT = 0;
  int AVAIL_OUT = 8;
  int TOTAL_OUT = 12;
  int NEXT_IN = 16;
  int AVAIL_IN = 32;
  int BLOCK_STATE = 21160;
  int CRC_FLAG = 21172;
  int SIZE = 87368;
  int FINISH = 5;
  int GZIP = 1;

  void isal_inflate_init(long state);

  int isal_inflate(long state);

  /// Room for the structure and some more.
  static ByteBuffer state() {
    return ByteBuffer.allocateDirect(SIZE + 4096).order(ByteOrder.nativeOrder());
  }

  static String text(int error) {
    return switch (error) {
      case -1 -> "a block is invalid";
      case -2 -> "a symbol is invalid";
      case -3 -> "a distance is invalid";
      case -4 -> "its header is wrong";
      case -6, -5 -> "its checksum is wrong";
      default -> "error " + error;
    };
  }

  /// Decodes a member with an empty header, the content `jrun` and its sum.
  private static boolean works(Isal isal) {
    byte[] member = {
      0x1f,
      (byte) 0x8b,
      8,
      0,
      0,
      0,
      0,
      0,
      0,
      3,
      1,
      4,
      0,
      (byte) 0xfb,
      (byte) 0xff,
      'j',
      'r',
      'u',
      'n',
      0,
      0,
      0,
      0,
      4,
      0,
      0,
      0
    };
    CRC32 crc = new CRC32();
    crc.update(member, 15, 4);
    ByteBuffer in = ByteBuffer.allocateDirect(64).order(ByteOrder.LITTLE_ENDIAN);
    in.put(member).putInt(19, (int) crc.getValue()).flip();
    ByteBuffer out = ByteBuffer.allocateDirect(64);
    ByteBuffer state = state();
    isal.isal_inflate_init(NativeLibrary.address(state));
    state.putInt(CRC_FLAG, GZIP);
    state.putLong(NEXT_IN, NativeLibrary.address(in)).putInt(AVAIL_IN, member.length);
    state.putLong(NEXT_OUT, NativeLibrary.address(out)).putInt(AVAIL_OUT, 64);
    return isal.isal_inflate(NativeLibrary.address(state)) == 0
        && state.getInt(BLOCK_STATE) == FINISH
        && state.getInt(TOTAL_OUT) == 4
        && state.getInt(AVAIL_IN) == 0
        && out.get(0) == 'j'
        && out.get(3) == 'n';
  }
}

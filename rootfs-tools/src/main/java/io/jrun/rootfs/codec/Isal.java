package io.jrun.rootfs.codec;

import io.jrun.kernel.host.NativeLibrary;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;
import java.util.zip.CRC32;

/// Intel's ISA-L, a decoder of deflate several times as fast as zlib (igzip_lib.h); pointers are
/// longs. Its state is a structure whose layout all releases of libisal.so.2 share; a trial
/// decoding when it is loaded makes sure of that.
final class Isal {
  static final Optional<Isal> LOADED =
      NativeLibrary.open("libisal.so.2", "isal_inflate_init", "isal_inflate")
          .map(Isal::new)
          .filter(Isal::works);

  static final int NEXT_OUT = 0;
  static final int AVAIL_OUT = 8;
  static final int TOTAL_OUT = 12;
  static final int NEXT_IN = 16;
  static final int AVAIL_IN = 32;
  static final int BLOCK_STATE = 21160;
  static final int CRC_FLAG = 21172;
  static final int SIZE = 87368;
  static final int FINISH = 5;
  static final int GZIP = 1;

  private final NativeLibrary library;

  private Isal(NativeLibrary library) {
    this.library = library;
  }

  void begin(ByteBuffer state) {
    library.call("isal_inflate_init", NativeLibrary.address(state));
  }

  int inflate(ByteBuffer state) {
    return library.callInt("isal_inflate", NativeLibrary.address(state));
  }

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
    isal.begin(state);
    state.putInt(CRC_FLAG, GZIP);
    state.putLong(NEXT_IN, NativeLibrary.address(in)).putInt(AVAIL_IN, member.length);
    state.putLong(NEXT_OUT, NativeLibrary.address(out)).putInt(AVAIL_OUT, 64);
    return isal.inflate(state) == 0
        && state.getInt(BLOCK_STATE) == FINISH
        && state.getInt(TOTAL_OUT) == 4
        && state.getInt(AVAIL_IN) == 0
        && out.get(0) == 'j'
        && out.get(3) == 'n';
  }
}

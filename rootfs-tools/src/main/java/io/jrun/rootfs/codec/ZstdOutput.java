package io.jrun.rootfs.codec;

import io.jrun.kernel.host.NativeLibrary;
import io.jrun.rootfs.RootfsException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;

/// Writes one zstd frame (RFC 8878), by libzstd, with its content's checksum.
public final class ZstdOutput extends DirectOutput {
  /// zstd.h; pointers and size_t are longs.
  private static final Optional<NativeLibrary> LOADED =
      NativeLibrary.open(
          "libzstd.so.1",
          "ZSTD_createCCtx",
          "ZSTD_freeCCtx",
          "ZSTD_CCtx_setParameter",
          "ZSTD_compressStream2",
          "ZSTD_isError",
          "ZSTD_getErrorName");

  private static final int CHECKSUM_FLAG = 201;
  private static final int CONTINUE = 0;
  private static final int END = 2;
  private static final int SIZE = 1 << 17;

  private final NativeLibrary zstd;
  private final OutputStream to;
  private final ByteBuffer plain = ByteBuffer.allocateDirect(SIZE);
  private final ByteBuffer encoded = ByteBuffer.allocateDirect(SIZE);
  private final ByteBuffer buffers = ByteBuffer.allocateDirect(48).order(ByteOrder.nativeOrder());
  private final byte[] chunk = new byte[SIZE];
  private long context;

  public ZstdOutput(OutputStream to) {
    this.zstd =
        LOADED.orElseThrow(
            () -> new RootfsException("zstd needs libzstd.so.1, which is not installed"));
    this.to = to;
    context = zstd.call("ZSTD_createCCtx");
    zstd.call("ZSTD_CCtx_setParameter", context, CHECKSUM_FLAG, 1);
  }

  @Override
  public void write(int b) throws IOException {
    if (!plain.hasRemaining()) encodePlain(CONTINUE);
    plain.put((byte) b);
  }

  @Override
  public void write(byte[] bytes, int offset, int length) throws IOException {
    while (length > 0) {
      if (!plain.hasRemaining()) encodePlain(CONTINUE);
      int part = Math.min(length, plain.remaining());
      plain.put(bytes, offset, part);
      offset += part;
      length -= part;
    }
  }

  @Override
  public void write(ByteBuffer direct) throws IOException {
    if (plain.position() > 0) encodePlain(CONTINUE);
    encode(direct.slice(), CONTINUE);
    direct.position(direct.limit());
  }

  private void encodePlain(int operation) throws IOException {
    encode(plain.flip(), operation);
    plain.clear();
  }

  private void encode(ByteBuffer from, int operation) throws IOException {
    long left = 1;
    int taken = 0;
    while (taken < from.limit() || operation == END && left != 0) {
      buffers.putLong(0, NativeLibrary.address(encoded)).putLong(8, SIZE).putLong(16, 0);
      buffers.putLong(24, NativeLibrary.address(from)).putLong(32, from.limit()).putLong(40, taken);
      long at = NativeLibrary.address(buffers);
      left = zstd.call("ZSTD_compressStream2", context, at, at + 24, operation);
      if (zstd.callInt("ZSTD_isError", left) != 0) {
        throw new RootfsException(
            "zstd: " + NativeLibrary.text(zstd.call("ZSTD_getErrorName", left)));
      }
      taken = (int) buffers.getLong(40);
      int made = (int) buffers.getLong(16);
      encoded.get(0, chunk, 0, made);
      to.write(chunk, 0, made);
    }
  }

  /// Ends the frame and leaves the stream below open.
  public void finish() throws IOException {
    encodePlain(END);
  }

  @Override
  public void close() throws IOException {
    if (context != 0) zstd.call("ZSTD_freeCCtx", context);
    context = 0;
    to.close();
  }
}

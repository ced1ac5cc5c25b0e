package io.jrun.rootfs.codec;

import io.jrun.kernel.host.NativeLibrary;
import io.jrun.rootfs.RootfsException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;

/// zstd (RFC 8878), by libzstd.
final class Zstd implements Decoder {
  /// zstd.h; pointers and size_t are longs.
  private static final Optional<NativeLibrary> LOADED =
      NativeLibrary.open(
          "libzstd.so.1",
          "ZSTD_createDCtx",
          "ZSTD_freeDCtx",
          "ZSTD_DCtx_setParameter",
          "ZSTD_decompressStream",
          "ZSTD_isError",
          "ZSTD_getErrorCode",
          "ZSTD_getErrorName");

  /// 64 MiB: the engine is to stay below 200 MB, whatever it decodes (decision 37).
  private static final int WINDOW_LOG = 26;

  /// zstd.h and zstd_errors.h.
  private static final int WINDOW_LOG_MAX = 100;

  private static final int WINDOW_TOO_LARGE = 16;

  private final NativeLibrary zstd;
  private final Encoded from;
  private final ByteBuffer buffers = ByteBuffer.allocateDirect(48).order(ByteOrder.nativeOrder());
  private long context;
  private boolean inside;

  Zstd(Encoded from) {
    this.zstd =
        LOADED.orElseThrow(
            () -> new RootfsException("zstd needs libzstd.so.1, which is not installed"));
    this.from = from;
    context = zstd.call("ZSTD_createDCtx");
    zstd.call("ZSTD_DCtx_setParameter", context, WINDOW_LOG_MAX, WINDOW_LOG);
  }

  @Override
  public void fill(ByteBuffer into) {
    while (into.hasRemaining()) {
      ByteBuffer bytes = from.bytes();
      int available = bytes.remaining();
      if (available == 0 && !inside) return;
      buffers.putLong(0, NativeLibrary.address(into.slice())).putLong(8, into.remaining());
      buffers.putLong(16, 0).putLong(24, from.address()).putLong(32, available).putLong(40, 0);
      long at = NativeLibrary.address(buffers);
      long result = zstd.call("ZSTD_decompressStream", context, at, at + 24);
      if (zstd.callInt("ZSTD_isError", result) != 0) {
        if (zstd.callInt("ZSTD_getErrorCode", result) == WINDOW_TOO_LARGE) {
          throw new RootfsException(
              "the zstd stream needs a window of more than "
                  + (1 << WINDOW_LOG - 20)
                  + " MiB, the limit (zstd --long, --ultra)");
        }
        throw Decoder.damaged(
            Compression.ZSTD, NativeLibrary.text(zstd.call("ZSTD_getErrorName", result)));
      }
      int made = (int) buffers.getLong(16);
      int taken = (int) buffers.getLong(40);
      into.position(into.position() + made);
      bytes.position(bytes.position() + taken);
      inside = result != 0;
      if (made == 0 && taken == 0 && available == 0 && inside) {
        throw Decoder.truncated(Compression.ZSTD);
      }
    }
  }

  @Override
  public void close() {
    if (context != 0) zstd.call("ZSTD_freeDCtx", context);
    context = 0;
  }
}

package io.jrun.rootfs.codec;

import io.jrun.rootfs.RootfsException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;
import jnr.ffi.Pointer;

/// zstd (RFC 8878), by libzstd.
final class Zstd implements Decoder {
  /// zstd.h; pointers and size_t are longs.
  public interface Library {
    long ZSTD_createDCtx();

    long ZSTD_freeDCtx(long context);

    long ZSTD_decompressStream(long context, long output, long input);

    int ZSTD_isError(long code);

    int ZSTD_getErrorCode(long code);

    Pointer ZSTD_getErrorName(long code);

    long ZSTD_DCtx_setParameter(long context, int parameter, int value);
  }

  private static final Optional<Library> LOADED = NativeLibrary.load(Library.class, "libzstd.so.1");

  /// 64 MiB: the engine is to stay below 200 MB, whatever it decodes (decision 37).
  private static final int WINDOW_LOG = 26;

  /// zstd.h and zstd_errors.h.
  private static final int WINDOW_LOG_MAX = 100;

  private static final int WINDOW_TOO_LARGE = 16;

  private final Library zstd;
  private final Encoded from;
  private final ByteBuffer buffers = ByteBuffer.allocateDirect(48).order(ByteOrder.nativeOrder());
  private long context;
  private boolean inside;

  Zstd(Encoded from) {
    this.zstd =
        LOADED.orElseThrow(
            () -> new RootfsException("zstd needs libzstd.so.1, which is not installed"));
    this.from = from;
    context = zstd.ZSTD_createDCtx();
    zstd.ZSTD_DCtx_setParameter(context, WINDOW_LOG_MAX, WINDOW_LOG);
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
      long result = zstd.ZSTD_decompressStream(context, at, at + 24);
      if (zstd.ZSTD_isError(result) != 0) {
        if (zstd.ZSTD_getErrorCode(result) == WINDOW_TOO_LARGE) {
          throw new RootfsException(
              "the zstd stream needs a window of more than "
                  + (1 << WINDOW_LOG - 20)
                  + " MiB, the limit (zstd --long, --ultra)");
        }
        throw Decoder.damaged(Compression.ZSTD, zstd.ZSTD_getErrorName(result).getString(0));
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
    if (context != 0) zstd.ZSTD_freeDCtx(context);
    context = 0;
  }
}

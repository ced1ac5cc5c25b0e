package io.jrun.rootfs.codec;

import io.jrun.kernel.host.NativeLibrary;
import io.jrun.rootfs.RootfsException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;

/// xz, by liblzma: its dictionary lies outside of the engine's heap.
final class Lzma implements Decoder {
  /// lzma/base.h and container.h; pointers and size_t are longs.
  static final Optional<NativeLibrary> LOADED =
      NativeLibrary.open("liblzma.so.5", "lzma_stream_decoder", "lzma_code", "lzma_end");

  /// `xz -9` needs 65 MiB.
  private static final long MEMORY = 80 << 20;

  private static final int CONCATENATED = 8;
  private static final int RUN = 0;
  private static final int FINISH = 3;
  private static final int OK = 0;
  private static final int STREAM_END = 1;
  private static final int MEMLIMIT_ERROR = 6;
  private static final int BUFFER_ERROR = 10;

  /// lzma_stream, all zero to begin with (LZMA_STREAM_INIT): next_in, avail_in, total_in, next_out,
  /// avail_out, total_out, and what is the library's.
  private final ByteBuffer stream = ByteBuffer.allocateDirect(136).order(ByteOrder.nativeOrder());

  private final NativeLibrary lzma;
  private final Encoded from;
  private boolean ended;
  private boolean open = true;

  Lzma(NativeLibrary lzma, Encoded from) {
    this.lzma = lzma;
    this.from = from;
    int result = lzma.callInt("lzma_stream_decoder", address(), MEMORY, CONCATENATED);
    if (result != OK) throw new RootfsException("xz: liblzma refuses to decode: " + result);
  }

  private long address() {
    return NativeLibrary.address(stream);
  }

  @Override
  public void fill(ByteBuffer into) {
    while (into.hasRemaining() && !ended) {
      ByteBuffer bytes = from.bytes();
      int available = bytes.remaining();
      stream.putLong(0, from.address()).putLong(8, available);
      stream.putLong(24, NativeLibrary.address(into.slice())).putLong(32, into.remaining());
      int room = into.remaining();
      int result = lzma.callInt("lzma_code", address(), available == 0 ? FINISH : RUN);
      bytes.position(bytes.position() + available - (int) stream.getLong(8));
      into.position(into.position() + room - (int) stream.getLong(32));
      switch (result) {
        case OK -> {}
        case STREAM_END -> ended = true;
        case MEMLIMIT_ERROR ->
            throw new RootfsException(
                "the xz stream needs more than " + (MEMORY >> 20) + " MiB of memory");
        case BUFFER_ERROR -> throw Decoder.truncated(Compression.XZ);
        default -> throw Decoder.damaged(Compression.XZ, "liblzma says " + result);
      }
    }
  }

  @Override
  public void close() {
    if (open) lzma.call("lzma_end", address());
    open = false;
  }
}

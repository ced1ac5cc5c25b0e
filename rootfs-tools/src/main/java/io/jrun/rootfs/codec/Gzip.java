package io.jrun.rootfs.codec;

import io.jrun.kernel.host.NativeLibrary;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/// gzip (RFC 1952), members one behind another: by ISA-L where the machine has it, else by the
/// JDK's zlib.
final class Gzip {
  private static final int MAGIC = 0x1f;

  private Gzip() {}

  static Decoder decoder(Encoded from) {
    Optional<Isal> isal = Isal.LOADED;
    return isal.isPresent() ? new ByIsal(isal.get(), from) : new ByZlib(from);
  }

  /// Whether another member follows; zeros may fill a stream up.
  private static boolean another(Encoded from) {
    int first = from.peek();
    if (first == MAGIC) return true;
    while (first == 0) {
      from.next();
      first = from.peek();
    }
    if (first >= 0) throw Decoder.damaged(Compression.GZIP, "there are other bytes behind its end");
    return false;
  }

  /// ISA-L reads members with their headers and checks their sums.
  static final class ByIsal implements Decoder {
    private final Isal isal;
    private final Encoded from;
    private final ByteBuffer state = Isal.state();
    private boolean between = true;
    private boolean ended;

    ByIsal(Isal isal, Encoded from) {
      this.isal = isal;
      this.from = from;
    }

    @Override
    public void fill(ByteBuffer into) {
      while (into.hasRemaining() && !ended) {
        if (between) begin();
        if (ended) return;
        ByteBuffer bytes = from.bytes();
        int before = bytes.remaining();
        int room = into.remaining();
        state.putLong(Isal.NEXT_IN, from.address()).putInt(Isal.AVAIL_IN, before);
        state
            .putLong(Isal.NEXT_OUT, NativeLibrary.address(into.slice()))
            .putInt(Isal.AVAIL_OUT, room);
        int result = isal.inflate(state);
        if (result < 0) throw Decoder.damaged(Compression.GZIP, Isal.text(result));
        int made = room - state.getInt(Isal.AVAIL_OUT);
        int left = state.getInt(Isal.AVAIL_IN);
        into.position(into.position() + made);
        bytes.position(bytes.limit() - left);
        if (state.getInt(Isal.BLOCK_STATE) == Isal.FINISH) between = true;
        else if (before == 0 && made == 0) throw Decoder.truncated(Compression.GZIP);
      }
    }

    private void begin() {
      if (!another(from)) {
        ended = true;
        return;
      }
      isal.begin(state);
      state.putInt(Isal.CRC_FLAG, Isal.GZIP);
      between = false;
    }

    @Override
    public void close() {}
  }

  static final class ByZlib implements Decoder {
    private final Encoded from;
    private final Inflater inflater = new Inflater(true);
    private final CRC32 crc = new CRC32();
    private boolean between = true;
    private boolean ended;

    ByZlib(Encoded from) {
      this.from = from;
    }

    @Override
    public void fill(ByteBuffer into) {
      while (into.hasRemaining() && !ended) {
        if (between) begin();
        if (ended) return;
        ByteBuffer bytes = from.bytes();
        int start = into.position();
        inflater.setInput(bytes);
        try {
          inflater.inflate(into);
        } catch (DataFormatException e) {
          throw Decoder.damaged(Compression.GZIP, String.valueOf(e.getMessage()));
        }
        int made = into.position() - start;
        crc.update(into.slice(start, made));
        if (inflater.finished()) finish();
        else if (made == 0 && !bytes.hasRemaining() && from.peek() < 0) {
          throw Decoder.truncated(Compression.GZIP);
        }
      }
    }

    private void begin() {
      if (!another(from)) {
        ended = true;
        return;
      }
      readHeader();
      inflater.reset();
      crc.reset();
      between = false;
    }

    private int need() {
      int next = from.next();
      if (next < 0) throw Decoder.truncated(Compression.GZIP);
      return next;
    }

    private void readHeader() {
      if (need() != MAGIC || need() != 0x8b || need() != 8) {
        throw Decoder.damaged(Compression.GZIP, "its header is wrong");
      }
      int flags = need();
      for (int i = 0; i < 6; i++) need();
      if ((flags & 4) != 0) for (int n = need() | need() << 8; n > 0; n--) need();
      if ((flags & 8) != 0) while (need() != 0) {}
      if ((flags & 16) != 0) while (need() != 0) {}
      if ((flags & 2) != 0) for (int i = 0; i < 2; i++) need();
    }

    private void finish() {
      ByteBuffer trailer = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
      while (trailer.hasRemaining()) trailer.put((byte) need());
      if (trailer.getInt(0) != (int) crc.getValue()
          || trailer.getInt(4) != (int) inflater.getBytesWritten()) {
        throw Decoder.damaged(Compression.GZIP, "its checksum or length is wrong");
      }
      between = true;
    }

    @Override
    public void close() {
      inflater.end();
    }
  }
}

package io.jrun.rootfs.codec;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import org.apache.commons.compress.compressors.bzip2.BZip2CompressorInputStream;
import org.tukaani.xz.XZInputStream;

/// The formats that Java libraries decode.
final class XzAndBzip2 implements Decoder {
  /// Of a dictionary; `xz -9` needs 65 MiB, which takes liblzma.
  private static final int MEMORY_KIB = 40 << 10;

  private interface Opening {
    InputStream open(InputStream from) throws IOException;
  }

  private final InputStream plain;
  private final Compression compression;
  private final byte[] chunk = new byte[65536];

  private XzAndBzip2(Compression compression, Encoded from, Opening opening) {
    this.compression = compression;
    try {
      this.plain = opening.open(new EncodedStream(from));
    } catch (IOException e) {
      throw refused(e);
    }
  }

  static Decoder xz(Encoded from) {
    if (Lzma.LOADED.isPresent()) return new Lzma(Lzma.LOADED.get(), from);
    return new XzAndBzip2(Compression.XZ, from, stream -> new XZInputStream(stream, MEMORY_KIB));
  }

  static Decoder bzip2(Encoded from) {
    return new XzAndBzip2(
        Compression.BZIP2, from, stream -> new BZip2CompressorInputStream(stream, true));
  }

  private RuntimeException refused(IOException e) {
    return e instanceof java.io.EOFException
        ? Decoder.truncated(compression)
        : Decoder.damaged(compression, String.valueOf(e.getMessage()));
  }

  @Override
  public void fill(ByteBuffer into) {
    try {
      while (into.hasRemaining()) {
        int count = plain.read(chunk, 0, Math.min(chunk.length, into.remaining()));
        if (count < 0) return;
        into.put(chunk, 0, count);
      }
    } catch (IOException e) {
      throw refused(e);
    }
  }

  @Override
  public void close() {}

  private static final class EncodedStream extends InputStream {
    private final Encoded from;

    EncodedStream(Encoded from) {
      this.from = from;
    }

    @Override
    public int read() {
      return from.next();
    }

    @Override
    public int read(byte[] into, int offset, int length) {
      ByteBuffer bytes = from.bytes();
      if (!bytes.hasRemaining()) return -1;
      int count = Math.min(length, bytes.remaining());
      bytes.get(into, offset, count);
      return count;
    }
  }
}

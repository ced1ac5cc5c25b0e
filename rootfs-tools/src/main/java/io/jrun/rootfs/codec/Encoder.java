package io.jrun.rootfs.codec;

import io.jrun.rootfs.RootfsException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.zip.GZIPOutputStream;

/// Plain bytes to encoded ones; [#finish] leaves the stream below open.
public final class Encoder extends DirectOutput {
  private static final int BUFFER = 1 << 16;

  private interface End {
    void finish() throws IOException;
  }

  private final OutputStream out;
  private final End end;

  private Encoder(OutputStream encoding, End end) {
    this.out = encoding;
    this.end = end;
  }

  public static Encoder of(Compression compression, OutputStream to) throws IOException {
    return switch (compression) {
      case NONE -> new Encoder(to, to::flush);
      case GZIP -> {
        GZIPOutputStream gzip = new GZIPOutputStream(to, BUFFER);
        yield new Encoder(gzip, gzip::finish);
      }
      case ZSTD -> {
        ZstdOutput zstd = new ZstdOutput(to);
        yield new Encoder(zstd, zstd::finish);
      }
      case XZ, BZIP2 ->
          throw new RootfsException("only plain, gzip and zstd archives can be written");
    };
  }

  @Override
  public void write(byte[] bytes, int offset, int length) throws IOException {
    out.write(bytes, offset, length);
  }

  @Override
  public void write(ByteBuffer direct) throws IOException {
    if (out instanceof DirectOutput takes) takes.write(direct);
    else super.write(direct);
  }

  @Override
  public void flush() throws IOException {
    out.flush();
  }

  @Override
  public void close() throws IOException {
    out.close();
  }

  public void finish() throws IOException {
    end.finish();
  }
}

package io.jrun.rootfs.pack;

import io.jrun.rootfs.CallerFiles;
import io.jrun.rootfs.IoFailure;
import io.jrun.rootfs.RootfsException;
import io.jrun.rootfs.codec.Compression;
import io.jrun.rootfs.codec.DirectOutput;
import io.jrun.rootfs.codec.Encoder;
import io.jrun.rootfs.unpack.WriterProcess;
import java.io.IOException;

/// Writes archives of directories that the caller names.
public final class Packing {
  private Packing() {}

  private interface Content {
    void write(Packer packer) throws IOException;
  }

  /// Packs a tree; returns how many sockets were left out.
  public static long tree(CallerFiles caller, String directory, String to, Packer.Options options) {
    return write(caller, to, options, packer -> packer.tree(directory));
  }

  /// Packs a tree to a stream.
  public static void tree(
      CallerFiles caller, String directory, DirectOutput to, Packer.Options options)
      throws IOException {
    try (WriterProcess process = WriterProcess.of(caller.kernel(), caller.helper());
        Packer packer = new Packer(caller.kernel(), process.kernel(), to, options)) {
      packer.tree(directory);
    }
  }

  /// Packs what of one tree is not as in another, with whiteouts, as a layer.
  public static long difference(
      CallerFiles caller, String lower, String upper, String to, Packer.Options options) {
    return write(caller, to, options, packer -> packer.difference(lower, upper));
  }

  private static long write(
      CallerFiles caller, String to, Packer.Options options, Content content) {
    Compression compression = Compression.ofName(to);
    if (compression == Compression.XZ || compression == Compression.BZIP2) {
      throw new RootfsException(to + ": only plain, gzip and zstd archives can be written");
    }
    try (WriterProcess process = WriterProcess.of(caller.kernel(), caller.helper());
        OutputFile file = OutputFile.create(caller, to);
        Encoder out = Encoder.of(compression, file);
        Packer packer = new Packer(caller.kernel(), process.kernel(), out, options)) {
      content.write(packer);
      out.finish();
      file.complete();
      return packer.skippedSockets();
    } catch (IOException e) {
      throw IoFailure.of(to, e);
    }
  }
}

package io.jrun.rootfs;

import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.Stat;
import io.jrun.rootfs.codec.Compression;
import io.jrun.rootfs.stream.Expansion;
import io.jrun.rootfs.stream.Origin;
import io.jrun.rootfs.stream.Sources;
import io.jrun.rootfs.unpack.Destination;
import io.jrun.rootfs.unpack.Report;
import io.jrun.rootfs.unpack.UnpackOptions;
import io.jrun.rootfs.unpack.Unpacker;
import io.jrun.rootfs.unpack.WriterProcess;

/// Fills a directory that the caller names: completely, or not at all.
public final class Unpacking {
  private static final int SNIFFED = 512;

  private Unpacking() {}

  /// Unpacks one archive.
  public static Report archive(
      CallerFiles caller, OwnedDescriptor file, String directory, UnpackOptions options) {
    Stat stat = caller.stat(file);
    boolean regular = (stat.mode() & Stat.S_IFMT) == Stat.S_IFREG;
    Origin origin =
        regular
            ? Origin.range(caller.kernel(), file, 0, stat.size())
            : Origin.stream(caller.kernel(), file);
    byte[] first = origin.first(SNIFFED);
    if (first.length == 0) throw new RootfsException("the archive is empty");
    Compression compression = Compression.of(first);
    Expansion expansion = new Expansion(options.limits().bytes(), options.limits().ratio());
    return into(
        caller,
        directory,
        options,
        (writer, unpacker) ->
            Sources.with(
                writer,
                origin,
                regular ? new byte[0] : first,
                compression,
                expansion,
                null,
                null,
                segments -> unpacker.layer(segments, false)));
  }

  /// What fills a directory.
  public interface Filling {
    void fill(HelperKernel writer, Unpacker unpacker);
  }

  /// Makes the directory, has it filled, and gives it its name; a failure leaves nothing.
  public static Report into(
      CallerFiles caller, String directory, UnpackOptions options, Filling filling) {
    try (WriterProcess process = WriterProcess.of(caller.kernel(), caller.helper())) {
      HelperKernel writer = process.kernel();
      Destination destination = Destination.open(writer, directory);
      try {
        Unpacker unpacker = new Unpacker(writer, destination.root(), options);
        filling.fill(writer, unpacker);
        Report report = unpacker.finish();
        destination.complete();
        return report;
      } catch (RuntimeException e) {
        destination.undo(e);
        throw e;
      } catch (OutOfMemoryError e) {
        RootfsException shown = new RootfsException("the archive needs too much memory", e);
        destination.undo(shown);
        throw shown;
      }
    }
  }
}

package io.jrun.rootfs.unpack;

import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.rootfs.CallerFiles;
import io.jrun.rootfs.RootfsException;
import io.jrun.rootfs.stream.Expansion;
import io.jrun.rootfs.stream.Sources;
import org.jspecify.annotations.Nullable;

/// Fills a directory that the caller names: completely, or not at all.
public final class Unpacking {
  private Unpacking() {}

  /// How much a stream may become.
  public static Expansion expansion(UnpackOptions options) {
    return new Expansion(options.limits().bytes(), options.limits().ratio());
  }

  /// Unpacks one archive.
  public static Report archive(
      CallerFiles caller, TreeArchive archive, String directory, UnpackOptions options) {
    return into(
        caller,
        directory,
        options,
        (writer, unpacker) ->
            Sources.with(
                writer,
                archive.origin(),
                archive.taken(),
                archive.compression(),
                expansion(options),
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
      return into(process, directory, options, null, filling);
    }
  }

  /// The same by a process that is there already.
  ///
  /// @param lower what lies below, for a layer that overlayfs will stack on it
  public static Report into(
      WriterProcess process,
      String directory,
      UnpackOptions options,
      @Nullable LowerTree lower,
      Filling filling) {
    HelperKernel writer = process.kernel();
    Destination destination = Destination.open(writer, directory);
    try {
      Unpacker unpacker = new Unpacker(writer, destination.root(), options, lower);
      filling.fill(writer, unpacker);
      Report report = unpacker.finish();
      destination.complete();
      destination.close(); // a failure ends the process, and its descriptors with it
      return report;
    } catch (RuntimeException e) {
      destination.undo(e);
      throw e;
    } catch (OutOfMemoryError e) {
      RootfsException shown = new RootfsException("the archive needs too much memory", e);
      destination.undo(shown);
      throw shown;
    } catch (InternalError e) {
      // what Java makes of SIGBUS
      RootfsException shown =
          new RootfsException("the archive became shorter while it was read", e);
      destination.undo(shown);
      throw shown;
    }
  }

  /// Removes a tree with the caller's rights.
  public static void remove(CallerFiles caller, String path) {
    try (WriterProcess process = WriterProcess.of(caller.kernel(), caller.helper())) {
      removeIn(process.kernel(), path);
    }
  }

  /// Removes a tree by a process that is there already.
  public static void removeIn(HelperKernel writer, String path) {
    int slash = path.lastIndexOf('/');
    Descriptor parent =
        writer.call(
            FileCall.Openat.directory(
                slash <= 0 ? (slash == 0 ? "/" : ".") : path.substring(0, slash)));
    try {
      new Removal(writer).remove(parent, path.substring(slash + 1));
    } finally {
      writer.call(new FileCall.Close(parent));
    }
  }
}

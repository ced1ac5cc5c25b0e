package io.jrun.image.commands;

import io.jrun.image.store.Volumes;
import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.rootfs.pack.TreeCopy;
import io.jrun.rootfs.unpack.Unpacking;
import java.nio.file.Path;

/// Makes a named volume of what an image has in its place, as docker does at the first use; empty
/// where that is no directory.
final class VolumeMaking {
  private static final int PATH = FileCall.O_PATH | FileCall.O_DIRECTORY | FileCall.O_CLOEXEC;

  private VolumeMaking() {}

  /// @param writer who may read the image's tree
  /// @param root of that tree
  /// @param aside where to make it; the store must be held
  static void make(
      HelperKernel writer, String root, NamedVolume volume, Volumes volumes, Path aside) {
    Batch batch = new Batch();
    Descriptor top = batch.add(FileCall.Openat.existing(root, PATH)).descriptor();
    String place = volume.destination().replaceFirst("^/+", "");
    // an image's links lead nowhere outside of it
    Pending<Descriptor> from =
        batch.attempt(
            new FileCall.Openat2(
                top, place.isEmpty() ? "." : place, PATH, 0, FileCall.RESOLVE_IN_ROOT, true));
    batch.add(new FileCall.Close(top));
    Results results = writer.run(batch);
    boolean copies = volume.copies() && results.succeeded(from);
    if (copies) {
      int number = ((Descriptor.Known) results.of(from)).number();
      TreeCopy.copy(writer, "/proc/self/fd/" + number + "/.", aside.toString());
    } else {
      Batch empty = new Batch();
      empty.add(new FileCall.Mkdirat(Descriptor.CWD, aside.toString(), Spares.MODE));
      empty.add(new FileCall.Fchmodat(Descriptor.CWD, aside.toString(), Spares.MODE));
      writer.run(empty);
    }
    if (results.succeeded(from)) writer.call(new FileCall.Close(results.of(from)));
    if (!volumes.name(aside, volume.name(), writer::call)) {
      Unpacking.removeIn(writer, aside.toString()); // another one was faster
    }
  }
}

package io.jrun.rootfs.stream;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.DescriptorCall;
import io.jrun.kernel.call.FileCall;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// A file that one batch opens and later ones use, without waiting for the answer that says which
/// number it has: it is moved to one that is known. There is one such number, and it is open as
/// long as the process, so that nothing else gets it.
public final class CarriedFile {
  private final HelperKernel process;
  private Descriptor.@Nullable Known spare;
  private Descriptor.@Nullable Known number;

  public CarriedFile(HelperKernel process) {
    this.process = process;
  }

  /// Moves what the batch opened; the descriptor is good until [#close].
  public Descriptor carry(Batch batch, Descriptor file) {
    if (number == null) {
      spare = open();
      number = open();
    }
    batch.add(new DescriptorCall.Dup3(file, number.number(), FileCall.O_CLOEXEC));
    batch.add(new FileCall.Close(file));
    return number;
  }

  /// Closes the file, as close(2) may tell of a failed write, and takes the number again.
  public void close(Batch batch) {
    Descriptor.Known known = Objects.requireNonNull(number);
    batch.add(new FileCall.Close(known));
    batch.add(
        new DescriptorCall.Dup3(Objects.requireNonNull(spare), known.number(), FileCall.O_CLOEXEC));
  }

  private Descriptor.Known open() {
    return (Descriptor.Known)
        process.call(FileCall.Openat.existing("/", FileCall.O_PATH | FileCall.O_DIRECTORY));
  }
}

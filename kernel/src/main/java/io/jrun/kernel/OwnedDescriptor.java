package io.jrun.kernel;

import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.HostCall;
import java.nio.file.Path;

/// A descriptor of the engine's own process, owned by whoever holds this, closed once.
public final class OwnedDescriptor implements AutoCloseable {
  private final Kernel kernel;
  private int number;

  public OwnedDescriptor(Kernel kernel, int number) {
    this.kernel = kernel;
    this.number = number;
  }

  /// @param descriptor of the engine's own process, so a known number
  public OwnedDescriptor(Kernel kernel, Descriptor descriptor) {
    this(kernel, ((Descriptor.Known) descriptor).number());
  }

  /// Performs a call that makes a descriptor, and owns it.
  public static OwnedDescriptor open(Kernel kernel, HostCall<? extends Descriptor> call) {
    return new OwnedDescriptor(kernel, kernel.call(call));
  }

  /// Opens a file to read it.
  public static OwnedDescriptor toRead(Kernel kernel, Path path) {
    return open(kernel, FileCall.Openat.existing(path.toString(), FileCall.O_RDONLY));
  }

  public int number() {
    if (number < 0) throw new IllegalStateException("descriptor is closed");
    return number;
  }

  public Descriptor descriptor() {
    return new Descriptor.Known(number());
  }

  /// Gives the descriptor away: this no longer closes it.
  public int release() {
    int released = number();
    number = -1;
    return released;
  }

  @Override
  public synchronized void close() {
    if (number < 0) return;
    int closing = number;
    number = -1;
    kernel.call(new FileCall.Close(new Descriptor.Known(closing)));
  }
}

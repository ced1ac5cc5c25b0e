package io.jrun.kernel;

import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.Syscall;

/// A call's place in its batch, by which its result is found.
public record Pending<R>(int index, Syscall<R> call) {
  /// The result as a descriptor for later calls of the same batch.
  public Descriptor descriptor() {
    return new Descriptor.ResultOf(index);
  }
}

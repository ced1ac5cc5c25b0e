package io.jrun.kernel;

import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.Syscall;

/// A call's place in its batch: what its result is asked by.
public record Pending<R>(int index, Syscall<R> call) {
  /// The result as a descriptor for later calls of the same batch.
  public Descriptor descriptor() {
    return new Descriptor.ResultOf(index);
  }
}

package io.jrun.kernel;

import io.jrun.kernel.call.HostCall;
import java.util.function.Supplier;

/// What performs syscalls in the engine's own process; see [HelperKernel] for a helper's.
public interface Kernel {
  /// Performs one call.
  ///
  /// @throws KernelException when the kernel refuses it
  <R> R call(HostCall<R> call);

  /// Makes a network namespace, in a thread of its own that goes there, performs the calls and
  /// comes back. It is gone when nobody is in it and no descriptor of it is open.
  default <R> Aside<R> inNewNetwork(Supplier<R> calls) {
    throw new UnsupportedOperationException();
  }
}

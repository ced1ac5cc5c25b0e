package io.jrun.kernel;

import io.jrun.kernel.call.HostCall;

/// What performs syscalls in the engine's own process; see [HelperKernel] for a helper's.
public interface Kernel {
  /// Performs one call.
  ///
  /// @throws KernelException when the kernel refuses it
  <R> R call(HostCall<R> call);
}

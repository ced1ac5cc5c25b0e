package io.jrun.kernel.observed;

import io.jrun.kernel.Batch;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.Syscall;
import java.util.Optional;

/// Sees the calls of an [ObservedKernel] and of an [ObservedHelper] before they are made, in each
/// process's order; several threads may call it at once.
public interface Observer {
  /// A call that is about to be performed.
  ///
  /// @param where the process: `engine`, `client`, or a child as its parent with a number
  /// @return the errno that it is to fail with instead; empty to perform it
  Optional<Errno> before(String where, Syscall<?> call);

  /// A batch that is about to be sent, before its calls are shown.
  default void sending(String where, Batch batch) {}
}

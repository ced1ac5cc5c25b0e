package io.jrun.kernel.observed;

import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.HostCall;
import java.util.Optional;

/// The engine's own kernel under an observer.
public record ObservedKernel(Kernel kernel, Observer observer) implements Kernel {
  @Override
  public <R> R call(HostCall<R> call) {
    Optional<Errno> refusal = observer.before("engine", call);
    if (refusal.isEmpty()) return kernel.call(call);
    // close(2) releases the descriptor even where it fails
    if (call instanceof FileCall.Close) kernel.call(call);
    throw new KernelException(call, refusal.get());
  }
}

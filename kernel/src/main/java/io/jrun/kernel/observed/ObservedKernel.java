package io.jrun.kernel.observed;

import io.jrun.kernel.Aside;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.HostCall;
import io.jrun.kernel.call.NamespaceCall;
import java.util.Optional;
import java.util.function.Supplier;

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

  @Override
  public <R> Aside<R> inNewNetwork(Supplier<R> calls) {
    NamespaceCall.Unshare unshare = new NamespaceCall.Unshare(NamespaceCall.CLONE_NEWNET);
    return kernel.inNewNetwork(() -> {
      Optional<Errno> refusal = observer.before("engine", unshare);
      if (refusal.isPresent()) throw new KernelException(unshare, refusal.get());
      return calls.get();
    });
  }
}

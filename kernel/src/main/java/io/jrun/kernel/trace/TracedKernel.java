package io.jrun.kernel.trace;

import io.jrun.kernel.Aside;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.call.HostCall;
import io.jrun.kernel.call.NamespaceCall;
import java.util.function.Supplier;

/// The engine's kernel, with each call told. What carries the helpers' messages is not among them,
/// as helpers are traced themselves.
public record TracedKernel(Kernel kernel, Trace trace) implements Kernel {
  @Override
  public <R> R call(HostCall<R> call) {
    long start = System.nanoTime();
    try {
      R result = kernel.call(call);
      trace.add("engine: " + call.text() + " = " + ResultText.of(result) + since(start));
      return result;
    } catch (KernelException e) {
      trace.add("engine: " + e.getMessage() + since(start));
      throw e;
    }
  }

  @Override
  public <R> Aside<R> inNewNetwork(Supplier<R> calls) {
    NamespaceCall.Unshare unshare = new NamespaceCall.Unshare(NamespaceCall.CLONE_NEWNET);
    long start = System.nanoTime();
    return kernel.inNewNetwork(() -> {
      trace.add("engine: " + unshare.text() + " = 0" + since(start));
      return calls.get();
    });
  }

  static String since(long start) {
    return " <" + (System.nanoTime() - start) / 1000 + " µs>";
  }
}

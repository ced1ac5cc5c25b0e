package io.jrun.kernel.trace;

import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.call.HostCall;

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

  static String since(long start) {
    return " <" + (System.nanoTime() - start) / 1000 + " µs>";
  }
}

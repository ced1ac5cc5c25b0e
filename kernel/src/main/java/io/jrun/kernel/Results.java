package io.jrun.kernel;

import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.Output;
import java.util.List;

/// What the calls of a batch returned.
///
/// @param values a result per call, negative for an errno
/// @param outputs what each call wrote
/// @param descriptors those that came back with the reply, in the order of their calls
public record Results(List<Long> values, List<Output> outputs, List<OwnedDescriptor> descriptors) {
  /// The errno of a skipped call: it uses the result of one that failed as expected.
  public static final long SKIPPED = -125;

  public Results {
    values = List.copyOf(values);
    outputs = List.copyOf(outputs);
    descriptors = List.copyOf(descriptors);
  }

  /// The result of a call that succeeded.
  public <R> R of(Pending<R> pending) {
    long value = values.get(pending.index());
    if (value < 0 && value > -4096) {
      throw new KernelException(pending.call(), Errno.of((int) -value));
    }
    return pending.call().result(value, outputs.get(pending.index()));
  }

  public boolean succeeded(Pending<?> pending) {
    return values.get(pending.index()) >= 0;
  }

  /// The errno of a call that failed as expected; zero when it did not fail.
  public int errno(Pending<?> pending) {
    return (int) Math.max(0, -values.get(pending.index()));
  }
}

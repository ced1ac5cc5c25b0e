package io.jrun.runtime.shim;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.Reply;
import io.jrun.kernel.wire.Helper;
import org.jspecify.annotations.Nullable;

/// A worker of a keeper that is forked when the first batch is for it: most starts and deletes need
/// none.
final class LazyWorker implements HelperKernel {
  private final Kernel kernel;
  private final Workers workers;
  private @Nullable HelperKernel forked;

  LazyWorker(Kernel kernel, Workers workers) {
    this.kernel = kernel;
    this.workers = workers;
  }

  private HelperKernel forked() {
    HelperKernel worker = forked;
    if (worker == null) {
      worker = workers.fork();
      forked = worker;
    }
    return worker;
  }

  @Override
  public Reply send(Batch batch) {
    return forked().send(batch);
  }

  @Override
  public Reply sendToEnd(Batch batch) {
    return forked().sendToEnd(batch);
  }

  @Override
  public HelperKernel over(OwnedDescriptor socket) {
    return new Helper(kernel, socket);
  }

  @Override
  public void close() {
    if (forked != null) forked.close();
  }
}

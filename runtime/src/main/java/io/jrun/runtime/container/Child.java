package io.jrun.runtime.container;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperGoneException;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.kernel.call.SocketCall;
import java.util.List;

/// A process forked from a helper, directed over a socket of its own.
///
/// @param before what the parent's batch before the clone returned
record Child(HelperKernel helper, int pid, Results before) implements AutoCloseable {
  static final int SIGCHLD = 17;

  /// Performs `before` in the parent, then clones.
  static Child clone(Kernel kernel, HelperKernel parent, Batch before, long flags) {
    List<Integer> pair = kernel.call(new SocketCall.Socketpair(SocketCall.SOCK_STREAM));
    OwnedDescriptor ours = new OwnedDescriptor(kernel, pair.get(0));
    try (OwnedDescriptor theirs = new OwnedDescriptor(kernel, pair.get(1))) {
      io.jrun.kernel.call.Descriptor socket = before.pass(theirs);
      Pending<Integer> clone = before.add(new ProcessCall.Clone3(flags, SIGCHLD, socket));
      before.add(new io.jrun.kernel.call.FileCall.Close(socket));
      Results results = parent.run(before);
      return new Child(parent.over(ours), results.of(clone), results);
    } catch (RuntimeException e) {
      ours.close();
      throw e;
    }
  }

  /// Runs the batch that ends in a program's start.
  void become(Batch batch) {
    try {
      helper.runToEnd(batch);
    } catch (HelperGoneException e) {
      throw new ContainerException("the process ended before its program started");
    }
  }

  @Override
  public void close() {
    helper.close();
  }
}

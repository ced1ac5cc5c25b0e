package io.jrun.kernel.process;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.Pending;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.kernel.call.SocketCall;
import java.util.List;

/// A process forked from a helper, directed over a socket of its own.
public record ForkedHelper(HelperKernel helper, int pid) implements AutoCloseable {
  private static final int SIGCHLD = 17;

  /// Forks the parent; the flags are clone3(2)'s.
  public static ForkedHelper fork(Kernel kernel, HelperKernel parent, long flags) {
    List<Integer> pair = kernel.call(new SocketCall.Socketpair(SocketCall.SOCK_STREAM));
    OwnedDescriptor ours = new OwnedDescriptor(kernel, pair.get(0));
    try (OwnedDescriptor theirs = new OwnedDescriptor(kernel, pair.get(1))) {
      Batch batch = new Batch();
      Descriptor socket = batch.pass(theirs);
      Pending<Integer> clone = batch.add(new ProcessCall.Clone3(flags, SIGCHLD, socket, 0));
      batch.add(new FileCall.Close(socket));
      return new ForkedHelper(parent.over(ours), parent.run(batch).of(clone));
    } catch (RuntimeException e) {
      ours.close();
      throw e;
    }
  }

  @Override
  public void close() {
    helper.close();
  }
}

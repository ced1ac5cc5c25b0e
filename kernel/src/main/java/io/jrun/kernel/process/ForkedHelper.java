package io.jrun.kernel.process;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.Pending;
import io.jrun.kernel.call.CredentialCall;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.DescriptorCall;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.kernel.call.PseudoCall;
import io.jrun.kernel.call.SignalCall;
import io.jrun.kernel.call.SocketCall;
import java.util.List;

/// A process forked from a helper, directed over a socket of its own.
public record ForkedHelper(HelperKernel helper, int pid) implements AutoCloseable {
  private static final int SIGCHLD = 17;

  /// Forks the parent; the flags are clone3(2)'s.
  public static ForkedHelper fork(Kernel kernel, HelperKernel parent, long flags) {
    return fork(kernel, parent, flags, socketpair(kernel));
  }

  /// The same for one that is sent many batches ahead: its socket takes so many bytes of them,
  /// where the engine may go over the limit that the machine has for that (socket(7),
  /// SO_SNDBUFFORCE).
  public static ForkedHelper forkAhead(Kernel kernel, HelperKernel parent, int bytes) {
    List<Integer> pair = socketpair(kernel);
    try {
      kernel.call(
          new SocketCall.Setsockopt(
              new Descriptor.Known(pair.getFirst()),
              SocketCall.SOL_SOCKET,
              SocketCall.SO_SNDBUFFORCE,
              bytes));
    } catch (KernelException e) {
      // an ordinary user's has the usual size
    }
    return fork(kernel, parent, 0, pair);
  }

  private static List<Integer> socketpair(Kernel kernel) {
    return kernel.call(new SocketCall.Socketpair(SocketCall.SOCK_STREAM));
  }

  private static ForkedHelper fork(
      Kernel kernel, HelperKernel parent, long flags, List<Integer> pair) {
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

  /// What such a process does before it becomes a program: it ignores and blocks no signal, ends
  /// with its parent, and reads and prints there.
  public static void addBeginning(Batch batch, Descriptor stdin, Descriptor stdout) {
    batch.add(new PseudoCall.ResetSignals());
    batch.add(
        new CredentialCall.Prctl(CredentialCall.PR_SET_PDEATHSIG, SignalCall.SIGKILL, 0, 0, 0));
    batch.add(new DescriptorCall.Dup3(stdin, 0, 0));
    batch.add(new DescriptorCall.Dup3(stdout, 1, 0));
  }

  @Override
  public void close() {
    helper.close();
  }
}

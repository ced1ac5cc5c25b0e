package io.jrun.rootfs.unpack;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperGoneException;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.call.CredentialCall;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.kernel.call.SignalCall;
import io.jrun.kernel.process.ForkedHelper;

/// A child of the caller that reads and writes a tree of files with the caller's rights, limits and
/// cgroup, and whose umask and descriptors are its own. It ends with its caller.
public final class WriterProcess implements AutoCloseable {

  /// While the process writes a large file, the engine makes batches of many small ones.
  private static final int AHEAD = 4 << 20;

  private final HelperKernel parent;
  private final ForkedHelper child;

  private WriterProcess(HelperKernel parent, ForkedHelper child) {
    this.parent = parent;
    this.child = child;
  }

  public static WriterProcess of(Kernel kernel, HelperKernel parent) {
    WriterProcess writer = new WriterProcess(parent, ForkedHelper.forkAhead(kernel, parent, AHEAD));
    Batch own = new Batch();
    own.add(new CredentialCall.Prctl(CredentialCall.PR_SET_PDEATHSIG, SignalCall.SIGKILL, 0, 0, 0));
    own.add(new CredentialCall.Umask(0));
    writer.kernel().run(own);
    return writer;
  }

  /// Of the process, in the caller's pid namespace.
  public int pid() {
    return child.pid();
  }

  public HelperKernel kernel() {
    return child.helper();
  }

  /// Ends the process and reaps it.
  @Override
  public void close() {
    try {
      Batch batch = new Batch();
      batch.add(new ProcessCall.ExitGroup(0));
      kernel().runToEnd(batch);
    } catch (RuntimeException e) {
      // answers to earlier batches may still be under way: end of file ends it as well
    }
    child.close();
    try {
      parent.call(new ProcessCall.Wait4(pid(), 0));
    } catch (HelperGoneException e) {
      // the caller is gone, and its child with it
    }
  }
}

package io.jrun.rootfs.unpack;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperGoneException;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.Pending;
import io.jrun.kernel.call.CredentialCall;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.kernel.call.SocketCall;
import java.util.List;

/// A child of the caller that reads and writes a tree of files with the caller's rights, limits and
/// cgroup, and whose umask and descriptors are its own. It ends with its caller.
public final class WriterProcess implements AutoCloseable {
  private static final int SIGCHLD = 17;
  private static final int SIGKILL = 9;

  private final HelperKernel parent;
  private final HelperKernel helper;
  private final int pid;

  private WriterProcess(HelperKernel parent, HelperKernel helper, int pid) {
    this.parent = parent;
    this.helper = helper;
    this.pid = pid;
  }

  public static WriterProcess of(Kernel kernel, HelperKernel parent) {
    List<Integer> pair = kernel.call(new SocketCall.Socketpair(SocketCall.SOCK_STREAM));
    OwnedDescriptor ours = new OwnedDescriptor(kernel, pair.get(0));
    Pending<Integer> clone;
    int pid;
    try (OwnedDescriptor theirs = new OwnedDescriptor(kernel, pair.get(1))) {
      Batch batch = new Batch();
      Descriptor socket = batch.pass(theirs);
      clone = batch.add(new ProcessCall.Clone3(0, SIGCHLD, socket, 0));
      batch.add(new FileCall.Close(socket));
      pid = parent.run(batch).of(clone);
    } catch (RuntimeException e) {
      ours.close();
      throw e;
    }
    WriterProcess writer = new WriterProcess(parent, parent.over(ours), pid);
    Batch own = new Batch();
    own.add(new CredentialCall.Prctl(CredentialCall.PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0));
    own.add(new CredentialCall.Umask(0));
    writer.helper.run(own);
    return writer;
  }

  /// Of the process, in the caller's pid namespace.
  public int pid() {
    return pid;
  }

  public HelperKernel kernel() {
    return helper;
  }

  /// Ends the process and reaps it.
  @Override
  public void close() {
    try {
      Batch batch = new Batch();
      batch.add(new ProcessCall.ExitGroup(0));
      helper.runToEnd(batch);
    } catch (RuntimeException e) {
      // answers to earlier batches may still be under way: end of file ends it as well
    }
    helper.close();
    try {
      parent.call(new ProcessCall.Wait4(pid, 0));
    } catch (HelperGoneException e) {
      // the caller is gone, and its child with it
    }
  }
}

package io.jrun.kernel;

import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.Syscall;

/// A kernel reached through a helper process: any call, in that process's namespaces, credentials
/// and working directory, and many of them in one message.
public interface HelperKernel extends AutoCloseable {
  /// Performs the calls in order, up to the first failure that was not expected.
  ///
  /// @throws KernelException for that failure
  /// @throws HelperGoneException when the helper ended before it answered
  default Results run(Batch batch) {
    return send(batch).await();
  }

  /// Sends the calls without waiting. The helper performs them once what was sent before has run to
  /// its end, and skips them when that failed; so a reply's failure is that of the whole sequence.
  Reply send(Batch batch);

  /// Sends a batch whose last call ends or replaces the process, and waits for that.
  ///
  /// @throws KernelException when a call failed instead
  default void runToEnd(Batch batch) {
    sendToEnd(batch).await();
  }

  /// Sends a batch whose last call ends or replaces the process; the reply, without results, comes
  /// when that happened.
  Reply sendToEnd(Batch batch);

  /// Performs one call.
  default <R> R call(Syscall<R> call) {
    Batch batch = new Batch();
    Pending<R> pending = batch.add(call);
    return run(batch).of(pending);
  }

  /// The same where a failure is to say what the call was for.
  default <R> R call(String step, Syscall<R> call) {
    Batch batch = new Batch();
    Pending<R> pending = batch.during(step, () -> batch.add(call));
    return run(batch).of(pending);
  }

  /// Performs calls, one of which opens a descriptor that comes back with the reply, and keeps that
  /// one: the helper's own is closed, only now, as it must be open when the reply takes it along.
  default OwnedDescriptor take(Batch batch, Pending<Descriptor> opened) {
    Results results = run(batch);
    Descriptor there = results.of(opened);
    OwnedDescriptor here = results.descriptors().getFirst();
    try {
      call(new FileCall.Close(there));
      return here;
    } catch (RuntimeException e) {
      here.close();
      throw e;
    }
  }

  /// The kernel of another helper, a child of this one, at the other end of the socket.
  HelperKernel over(OwnedDescriptor socket);

  /// Lets the helper go: it reads end of file.
  @Override
  void close();
}

package io.jrun.kernel;

import io.jrun.kernel.call.Syscall;

/// A kernel reached through a helper process: any call, in that process's namespaces, credentials
/// and working directory, and many of them in one message.
public interface HelperKernel extends AutoCloseable {
  /// Performs the calls in order, up to the first failure that was not expected.
  ///
  /// @throws KernelException for that failure
  /// @throws HelperGoneException when the helper ended before it answered
  Results run(Batch batch);

  /// Sends the calls without waiting for their results. Batches are answered in the order in which
  /// they were sent, so their results must be taken in that order, and before any other batch runs.
  Started start(Batch batch);

  /// A batch that was sent: what waits for its results.
  interface Started {
    /// @throws KernelException for the first failure that was not expected
    /// @throws HelperGoneException when the helper ended before it answered
    Results results();
  }

  /// Sends a batch whose last call ends or replaces the process, and waits for that.
  ///
  /// @throws KernelException when a call failed instead
  void runToEnd(Batch batch);

  /// Performs one call.
  default <R> R call(Syscall<R> call) {
    Batch batch = new Batch();
    Pending<R> pending = batch.add(call);
    return run(batch).of(pending);
  }

  /// Lets the helper go: it reads end of file.
  @Override
  void close();
}

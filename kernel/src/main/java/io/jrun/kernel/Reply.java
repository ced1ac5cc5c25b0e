package io.jrun.kernel;

/// The answer to a batch that was sent, which may still be under way.
public interface Reply {
  /// Waits for the results.
  ///
  /// @throws KernelException when a call of this batch, or of one sent before and not yet awaited,
  ///   failed and that was not expected
  /// @throws HelperGoneException when the helper ended before it answered
  Results await();
}

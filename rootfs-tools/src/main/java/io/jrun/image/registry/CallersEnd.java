package io.jrun.image.registry;

import io.jrun.kernel.Kernel;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.DescriptorCall;
import io.jrun.rootfs.CallerFiles;

/// Does something when the caller ends while a registry is asked for it: the engine lives on, and
/// nobody waits for the answer any more.
final class CallersEnd implements AutoCloseable {
  private static final int HANGUP_ONLY = 0;
  private static final long LOOK_MILLIS = 200;

  private final Kernel kernel;
  private final OwnedDescriptor lifeline;
  private final Runnable then;
  private volatile boolean isOver;

  CallersEnd(CallerFiles caller, Runnable then) {
    this.kernel = caller.kernel();
    this.lifeline = caller.lifeline();
    this.then = then;
    Thread.ofPlatform().name("callers-end").daemon(true).start(this::watch);
  }

  private void watch() {
    try (lifeline) {
      DescriptorCall.Poll poll =
          new DescriptorCall.Poll(lifeline.descriptor(), HANGUP_ONLY, LOOK_MILLIS);
      while (!isOver) {
        if (kernel.call(poll) == 0) continue;
        then.run();
        return;
      }
    }
  }

  /// Nothing is done any more; who closes does not wait for the thread.
  @Override
  public void close() {
    isOver = true;
  }
}

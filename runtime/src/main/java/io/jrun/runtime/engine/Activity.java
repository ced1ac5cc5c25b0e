package io.jrun.runtime.engine;

import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/// Whether anybody asks the engine for something. Who rests until then sleeps with no timeout:
/// whatever wakes now and then takes memory to do so.
final class Activity {
  private final Semaphore wake = new Semaphore(0);
  private volatile boolean hasHappened;
  private volatile boolean isAwaited;

  /// Something happens.
  void happen() {
    hasHappened = true;
    if (!isAwaited) return;
    isAwaited = false;
    wake.release();
  }

  /// Whether something has happened since this was last asked.
  boolean hasHappened() {
    boolean has = hasHappened;
    hasHappened = false;
    return has;
  }

  /// From now on what happens ends an [#await].
  void expect() {
    wake.drainPermits();
    isAwaited = true;
  }

  /// Returns whether it has happened in that time.
  boolean await(long millis) throws InterruptedException {
    return wake.tryAcquire(millis, TimeUnit.MILLISECONDS);
  }
}

package io.jrun.runtime.shim;

import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/// What is to be done about a pod later, unless the pod has ended by then: an ended pod is not kept
/// for it, and wakes no engine that rests.
final class PodTimers implements AutoCloseable {
  enum Action {
    END_SHUTDOWN,
    QUIT,
    QUIT_IF_UNUSED,
    FORGET_REMOVED
  }

  private final ScheduledExecutorService timer;
  private final Map<Action, Future<?>> waiting = new EnumMap<>(Action.class);
  private boolean isClosed;

  PodTimers(ScheduledExecutorService timer) {
    this.timer = timer;
  }

  /// In place of the same that was to be done before.
  synchronized void schedule(Action action, Runnable how, long millis) {
    if (isClosed) return;
    cancel(action);
    waiting.put(action, timer.schedule(how, millis, TimeUnit.MILLISECONDS));
  }

  synchronized void cancel(Action action) {
    Future<?> future = waiting.remove(action);
    if (future != null) future.cancel(false);
  }

  @Override
  public synchronized void close() {
    isClosed = true;
    for (Future<?> future : waiting.values()) future.cancel(false);
    waiting.clear();
  }
}

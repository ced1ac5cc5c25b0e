package io.jrun.kernel;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.function.Supplier;

/// What another thread does meanwhile.
public final class Aside<R> implements Runnable {
  private final FutureTask<R> task;

  public Aside(Supplier<R> action) {
    this.task = new FutureTask<>(action::get);
  }

  /// For the thread that is to do it; where one has begun, others leave it to that.
  @Override
  public void run() {
    task.run();
  }

  public boolean isDone() {
    return task.isDone();
  }

  /// Waits for what came of it, and throws its failure.
  public R await() {
    try {
      return task.get();
    } catch (ExecutionException e) {
      throw e.getCause() instanceof RuntimeException cause ? cause : new IllegalStateException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }
}

package io.jrun.kernel;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/// Threads that are made where all others are busy, and end soon after a burst: a thread that waits
/// keeps its stack (decision 56). They keep no JVM from ending.
public final class BriefThreads {
  private static final long KEEP_SECONDS = 2;

  private BriefThreads() {}

  /// @param name what the threads' names begin with
  public static ExecutorService named(String name) {
    return new ThreadPoolExecutor(
        0,
        Integer.MAX_VALUE,
        KEEP_SECONDS,
        TimeUnit.SECONDS,
        new SynchronousQueue<>(),
        Thread.ofPlatform().name(name + "-", 0).daemon(true).factory());
  }
}

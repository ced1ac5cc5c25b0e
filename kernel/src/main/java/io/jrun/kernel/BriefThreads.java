package io.jrun.kernel;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/// Threads that are made where all others are busy, and end soon after a burst: a thread that waits
/// keeps its stack (decision 56). They keep no JVM from ending.
public final class BriefThreads {
  private static final long KEEP_SECONDS = 2;

  private BriefThreads() {}

  /// @param name what the threads' names begin with
  public static ExecutorService named(String name) {
    // a factory of the JDK's counts by a method handle, for which classes are made at each start
    AtomicInteger count = new AtomicInteger();
    return new ThreadPoolExecutor(
        0,
        Integer.MAX_VALUE,
        KEEP_SECONDS,
        TimeUnit.SECONDS,
        new SynchronousQueue<>(),
        work ->
            Thread.ofPlatform()
                .name(name + "-" + count.getAndIncrement())
                .daemon(true)
                .unstarted(work));
  }
}

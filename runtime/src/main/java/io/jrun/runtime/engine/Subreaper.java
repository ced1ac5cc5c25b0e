package io.jrun.runtime.engine;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.LongPredicate;

/// The process that an orphaned engine fell to, where that is not init but a caller which is a
/// subreaper (prctl(2), PR_SET_CHILD_SUBREAPER). conmon is one, and waits for all of its children
/// when its container has ended: an engine that is the only one left would keep it.
final class Subreaper {
  private static final long LOOK_MILLIS = 1000;
  private static final long IDLE_MILLIS = 2000;

  private Subreaper() {}

  /// Looks now and then, in a thread of its own, whether the engine is all that its parent has.
  ///
  /// @param leaving whether the engine leaves already
  /// @param leave called when it shall
  /// @param isIdle whether the engine has had nothing to do for that many milliseconds
  static void watch(CountDownLatch leaving, Runnable leave, LongPredicate isIdle) {
    if (parent() <= 1) return;
    Thread.ofPlatform().name("subreaper").daemon(true).start(() -> look(leaving, leave, isIdle));
  }

  private static void look(CountDownLatch leaving, Runnable leave, LongPredicate isIdle) {
    try {
      for (long parent = parent(); parent > 1; parent = parent()) {
        if (isIdle.test(IDLE_MILLIS) && isOnlyChild(parent)) leave.run();
        if (leaving.await(LOOK_MILLIS, TimeUnit.MILLISECONDS)) return;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (IOException e) {
      // the parent has ended, or the kernel does not tell of children (CONFIG_PROC_CHILDREN)
    }
  }

  private static long parent() {
    return ProcessHandle.current().parent().map(ProcessHandle::pid).orElse(0L);
  }

  private static boolean isOnlyChild(long parent) throws IOException {
    StringBuilder children = new StringBuilder();
    try (DirectoryStream<Path> tasks =
        Files.newDirectoryStream(Path.of("/proc", Long.toString(parent), "task"))) {
      for (Path task : tasks) children.append(Files.readString(task.resolve("children")));
    }
    return children.toString().strip().equals(Long.toString(ProcessHandle.current().pid()));
  }
}

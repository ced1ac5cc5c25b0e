package io.jrun.cni.simple;

import io.jrun.cni.netlink.Answer;
import io.jrun.cni.netlink.Links;
import io.jrun.cni.netlink.NetlinkSocket;
import io.jrun.cni.netlink.Request;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.call.Errno;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.locks.LockSupport;

/// Removes links and returns once nobody can find them any more. The kernel then still waits, ten
/// times as long, until it may free their memory; a thread waits for that.
///
/// ```
///   caller                               thread
///     | RTM_DELLINK ---------------------> |  takes the kernel's lock of links, unlists it,
///     | a request that takes the lock,     |  releases the lock,
///     | and RTM_GETLINK: ENODEV            |  waits for a grace period, is acknowledged
/// ```
final class LinkRemoval {
  private static final int LOOPBACK = 1;
  private static final long PAUSE_NANOS = 50_000;

  private final Kernel kernel;
  private final ExecutorService threads =
      Executors.newCachedThreadPool(
          Thread.ofPlatform().name("link-removal-", 0).daemon(true).factory());

  LinkRemoval(Kernel kernel) {
    this.kernel = kernel;
  }

  /// One that is gone is as it should be.
  void remove(NetlinkSocket host, String name) {
    if (Links.find(host, name).isEmpty()) return;
    Future<?> deleted = threads.submit(() -> delete(name));
    Request lock = Links.flags(LOOPBACK, "lo", 0, 0);
    while (!deleted.isDone()) {
      List<Answer> answers = host.exchange(List.of(lock, Links.get(name)));
      if (answers.get(1).is(Errno.ENODEV)) {
        host.attempt(lock);
        return;
      }
      LockSupport.parkNanos(PAUSE_NANOS);
    }
    try {
      deleted.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    } catch (ExecutionException e) {
      throw e.getCause() instanceof RuntimeException cause ? cause : new IllegalStateException(e);
    }
  }

  private void delete(String name) {
    try (NetlinkSocket own = NetlinkSocket.open(kernel)) {
      own.attempt(Links.delete(name)).orThrow(Errno.ENODEV);
    }
  }
}

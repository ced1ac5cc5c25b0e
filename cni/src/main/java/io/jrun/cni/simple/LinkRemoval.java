package io.jrun.cni.simple;

import io.jrun.cni.netlink.Answer;
import io.jrun.cni.netlink.Link;
import io.jrun.cni.netlink.Links;
import io.jrun.cni.netlink.NetlinkSocket;
import io.jrun.cni.netlink.Request;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.call.Errno;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;

/// Removes links; who waits for that returns once nobody can find them any more. The kernel then
/// still waits, ten times as long, until it may free their memory; a thread waits for that.
///
/// ```
///   caller                               thread
///     | begin -------------------------> |  RTM_GETLINK: its index
///     |   does other things              |  RTM_DELLINK by index:
///     | await:                           |    takes the kernel's lock of links, unlists it,
///     | a request that takes the lock,   |    releases the lock,
///     | and RTM_GETLINK: ENODEV          |    waits for a grace period, is acknowledged
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

  /// A removal under way.
  final class Removal {
    private final String name;
    private final CompletableFuture<Optional<Link>> found = new CompletableFuture<>();
    private final Future<?> deleted;

    private Removal(String name) {
      this.name = name;
      this.deleted = threads.submit(this::delete);
    }

    /// By index: the caller may have seen the link go with its namespace, and somebody may have
    /// made another one of its name before the request is sent.
    private void delete() {
      try (NetlinkSocket own = NetlinkSocket.open(kernel)) {
        Optional<Link> link = Links.find(own, name);
        found.complete(link);
        if (link.isPresent()) own.attempt(Links.delete(link.get())).orThrow(Errno.ENODEV);
      } catch (RuntimeException e) {
        found.completeExceptionally(e);
        throw e;
      }
    }

    /// Returns when the link is gone; one that was not there is as it should be.
    ///
    /// @param host a socket in the engine's namespace, made when it is needed
    void await(Supplier<NetlinkSocket> host) {
      Optional<Link> link = result(found);
      if (link.isEmpty()) return;
      Request lock = Links.flags(LOOPBACK, "lo", 0, 0);
      while (!deleted.isDone()) {
        // the lock once more at the end: all that is done under it is done then
        List<Answer> answers = host.get().exchange(List.of(lock, Links.get(name), lock));
        Optional<Link> now = Links.of(answers.get(1));
        if (now.isEmpty() || now.get().index() != link.get().index()) return;
        LockSupport.parkNanos(PAUSE_NANOS);
      }
      result(deleted);
    }
  }

  /// Begins to remove a link.
  Removal begin(String name) {
    return new Removal(name);
  }

  /// One that is gone is as it should be.
  void remove(NetlinkSocket host, String name) {
    begin(name).await(() -> host);
  }

  private static <T> T result(Future<T> future) {
    try {
      return future.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    } catch (ExecutionException e) {
      throw e.getCause() instanceof RuntimeException cause ? cause : new IllegalStateException(e);
    }
  }
}

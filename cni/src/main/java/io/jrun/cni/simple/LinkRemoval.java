package io.jrun.cni.simple;

import io.jrun.cni.netlink.Answer;
import io.jrun.cni.netlink.Link;
import io.jrun.cni.netlink.Links;
import io.jrun.cni.netlink.NetlinkSocket;
import io.jrun.cni.netlink.Request;
import io.jrun.kernel.BriefThreads;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.DescriptorCall;
import io.jrun.kernel.call.Errno;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Removes links; who waits for that returns once nobody can find them any more. The kernel then
/// still waits, ten times as long, until it may free their memory; a thread waits for that.
///
/// ```
///   caller                               thread
///     | begin -------------------------> |  RTM_GETLINK: its index, where nobody knows it
///     |   does other things              |  RTM_DELLINK by index:
///     | awaitUnlisted:                   |    takes the kernel's lock of links, unlists it,
///     | SIOCGIFNAME: ENODEV              |    waits for grace periods, takes it from its bridge,
///     | await:                           |    releases the lock,
///     | a request that takes the lock,   |    waits until its memory can go, is acknowledged
///     | and RTM_GETLINK: ENODEV          |
/// ```
final class LinkRemoval {
  private static final int LOOPBACK = 1;
  private static final int POLLIN = 1;
  private static final long PAUSE_NANOS = 50_000;

  private final Kernel kernel;
  private final Map<String, Removal> atEnd = new ConcurrentHashMap<>();
  private @Nullable NetlinkSocket asking;
  private final ExecutorService threads = BriefThreads.named("link-removal");

  LinkRemoval(Kernel kernel) {
    this.kernel = kernel;
  }

  /// A removal under way.
  final class Removal {
    private final String name;
    private final CompletableFuture<Optional<Link>> found = new CompletableFuture<>();
    private final FutureTask<Void> deleted;
    private final @Nullable OwnedDescriptor process;
    private boolean isDue;

    private Removal(String name) {
      this.name = name;
      this.process = null;
      this.isDue = true;
      this.deleted = new FutureTask<>(() -> delete(own -> Links.find(own, name)), null);
    }

    /// @param process that ends before
    private Removal(Link link, OwnedDescriptor process) {
      this.name = link.name();
      this.process = process;
      this.deleted = new FutureTask<>(() -> delete(own -> Optional.of(link)), null);
    }

    /// By index: the caller may have seen the link go with its namespace, and somebody may have
    /// made another one of its name before the request is sent.
    private void delete(Function<NetlinkSocket, Optional<Link>> find) {
      try (NetlinkSocket own = NetlinkSocket.open(kernel)) {
        Optional<Link> link = find.apply(own);
        found.complete(link);
        if (process != null) kernel.call(new DescriptorCall.Poll(process.descriptor(), POLLIN, -1));
        if (link.isPresent()) own.attempt(Links.delete(link.get())).orThrow(Errno.ENODEV);
      } catch (RuntimeException e) {
        found.completeExceptionally(e);
        throw e;
      } finally {
        end();
      }
    }

    private synchronized void end() {
      isDue = true;
      if (process != null) process.close();
      atEnd.remove(name, this);
    }

    /// Whether the process has ended, so that nothing is left to wait for, whether or not the
    /// thread has noticed.
    private synchronized boolean isDue() {
      if (!isDue && process != null) {
        isDue = kernel.call(new DescriptorCall.Poll(process.descriptor(), POLLIN, 0)) != 0;
      }
      return isDue;
    }

    /// Returns when nobody finds the link any more. What is left of it goes under the kernel's lock
    /// of links, cannot fail, and is done for whoever takes that lock next, as all do who make or
    /// list links, addresses and entries of bridges.
    void awaitUnlisted() {
      Optional<Link> link = result(found);
      if (link.isEmpty()) return;
      while (isListed(link.get())) {
        if (deleted.isDone()) {
          result(deleted);
          return;
        }
        LockSupport.parkNanos(PAUSE_NANOS);
      }
    }

    /// Returns when the link is gone with all that is its own; one that was not there is as it
    /// should be.
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

  /// Asked through a socket that stays open: asking sends nothing, so threads may share it.
  private boolean isListed(Link link) {
    NetlinkSocket open;
    synchronized (this) {
      if (asking == null) asking = NetlinkSocket.open(kernel);
      open = asking;
    }
    return open.finds(link.index());
  }

  /// Begins to remove a link, if that has not begun with the end of a process.
  Removal begin(String name) {
    Removal begun = atEnd.remove(name);
    return begun != null && begun.isDue() ? begun : start(name);
  }

  /// Before a link is made: what may still be known of the removal of one that had its name is not
  /// about it.
  void forget(String name) {
    atEnd.remove(name);
  }

  private Removal start(String name) {
    Removal removal = new Removal(name);
    threads.execute(removal.deleted);
    return removal;
  }

  /// Removes a link when a process ends, which is sooner than anybody can hear of that end and ask
  /// for it. A failure is nobody's: who asks then removes the link.
  ///
  /// @param process a pidfd, which is closed at the end
  void atEnd(Link link, OwnedDescriptor process) {
    Removal removal = new Removal(link, process);
    atEnd.put(link.name(), removal);
    threads.execute(removal.deleted);
  }

  /// One that is gone is as it should be.
  void remove(NetlinkSocket host, String name) {
    start(name).await(() -> host);
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

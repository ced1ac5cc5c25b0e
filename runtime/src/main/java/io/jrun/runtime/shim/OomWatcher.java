package io.jrun.runtime.shim;

import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.EpollCall;
import io.jrun.runtime.cgroup.OomWatch;
import java.util.HashMap;
import java.util.Map;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/// Watches all containers of the engine for their memory's end, with one thread that starts with
/// the first of them.
final class OomWatcher {
  private final Kernel kernel;
  private final Map<Integer, Watched> watches = new HashMap<>();
  private @Nullable Descriptor epoll;
  private int next;

  OomWatcher(Kernel kernel) {
    this.kernel = kernel;
  }

  /// @param happened is told how many processes were killed so far
  private record Watched(OomWatch watch, LongConsumer happened) {}

  /// A watch that goes on until it is closed.
  interface Watching extends AutoCloseable {
    /// Looks a last time before it is closed: what has just been killed may have ended before the
    /// watcher has come to it.
    void finish();

    @Override
    void close();
  }

  /// @param happened is told how many processes were killed so far
  synchronized Watching watch(OomWatch watch, LongConsumer happened) {
    int number = next++;
    watches.put(number, new Watched(watch, happened));
    Descriptor all = epoll();
    kernel.call(
        new EpollCall.EpollCtl(
            all, EpollCall.EPOLL_CTL_ADD, watch.descriptor(), watch.pollEvents(), number));
    return new Watching() {
      @Override
      public void finish() {
        look(number);
        end(number);
      }

      @Override
      public void close() {
        end(number);
      }
    };
  }

  private Descriptor epoll() {
    Descriptor all = epoll;
    if (all == null) {
      all = OwnedDescriptor.open(kernel, new EpollCall.EpollCreate1()).descriptor();
      epoll = all;
      Descriptor waited = all;
      Thread.ofPlatform().name("shim-oom").daemon(true).start(() -> run(waited));
    }
    return all;
  }

  /// A closed descriptor is not watched any more (epoll(7)).
  private synchronized void end(int number) {
    Watched watched = watches.remove(number);
    if (watched != null) watched.watch().close();
  }

  private void run(Descriptor all) {
    while (true) look(kernel.call(new EpollCall.EpollPwait(all, -1)));
  }

  private void look(int number) {
    long kills;
    LongConsumer happened;
    synchronized (this) {
      Watched watched = watches.get(number);
      if (watched == null) return;
      try {
        happened = watched.watch().await(0) ? watched.happened() : null;
        kills = watched.watch().kills();
        if (!watched.watch().exists()) end(number);
      } catch (KernelException e) {
        end(number); // its cgroup is gone
        return;
      }
    }
    if (happened != null) happened.accept(kills);
  }
}

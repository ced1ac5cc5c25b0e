package io.jrun.runtime.engine;

import io.jrun.kernel.HelperGoneException;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.SocketCall;
import io.jrun.kernel.host.HostKernel;
import io.jrun.kernel.wire.Hello;
import io.jrun.kernel.wire.Helper;
import io.jrun.runtime.cli.JrunCommand;
import io.jrun.runtime.container.Containers;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/// Serves the clients that connect to its socket, each in a thread, until it has been idle for long.
final class Engine {
  private static final long IDLE_MILLIS = Long.getLong("jrun.engine.idleMillis", 10 * 60 * 1000);
  private static final int POLLIN = 1;

  private final HostKernel kernel;
  private final Containers containers;
  private final Instant started = Instant.now();
  private final AtomicInteger active = new AtomicInteger();
  private final AtomicLong served = new AtomicLong();
  private final ExecutorService threads =
      Executors.newCachedThreadPool(Thread.ofPlatform().name("client-", 0).daemon(true).factory());
  private volatile boolean stopping;

  Engine(HostKernel kernel, Containers containers) {
    this.kernel = kernel;
    this.containers = containers;
  }

  /// Accepts until idle or stopped. The lock file makes sure that no client is told of this socket
  /// while it goes; who connected in between starts over.
  void serve(Descriptor listener) {
    while (!stopping) {
      long wait = active.get() > 0 ? 1000 : IDLE_MILLIS;
      int ready = kernel.call(new FileCall.Poll(listener, POLLIN, stopping ? 0 : Math.min(wait, IDLE_MILLIS)));
      if (ready == 0) {
        if (active.get() == 0 && wait == IDLE_MILLIS) return;
        continue;
      }
      accept(listener);
    }
  }

  private void accept(Descriptor listener) {
    try {
      int number = ((Descriptor.Known) kernel.call(new SocketCall.Accept4(listener))).number();
      OwnedDescriptor socket = new OwnedDescriptor(kernel, number);
      List<Integer> peer = kernel.call(new SocketCall.PeerCredentials(socket.descriptor()));
      if (peer.get(1) != containers.uid()) {
        socket.close();
        return;
      }
      active.incrementAndGet();
      threads.execute(() -> serveClient(socket));
    } catch (KernelException e) {
      // a client that vanished before it was accepted, or a signal: the next poll tells
      if (!e.errno().equals(Errno.EINTR) && !e.errno().equals(Errno.EAGAIN) && e.errno().value() != 103) throw e;
    }
  }

  void serveClient(OwnedDescriptor socket) {
    try (Helper client = new Helper(kernel, socket)) {
      Hello hello = client.hello();
      Invocation invocation = new Invocation(client);
      int status =
          JrunCommand.execute(
              hello.argv().subList(1, hello.argv().size()),
              new EngineOperations(this, containers.operations(client, hello)),
              invocation);
      invocation.exit(status);
    } catch (HelperGoneException e) {
      // the caller is gone: what it had begun is rolled back by then, and nobody is left to tell
    } finally {
      served.incrementAndGet();
      active.decrementAndGet();
    }
  }

  void stop() {
    stopping = true;
  }

  String status() {
    java.lang.Runtime jvm = java.lang.Runtime.getRuntime();
    return "{\"pid\":" + ProcessHandle.current().pid()
        + ",\"started\":\"" + started + "\",\"active\":" + active.get()
        + ",\"served\":" + served.get()
        + ",\"threads\":" + Thread.activeCount()
        + ",\"heapBytes\":" + (jvm.totalMemory() - jvm.freeMemory()) + "}";
  }
}

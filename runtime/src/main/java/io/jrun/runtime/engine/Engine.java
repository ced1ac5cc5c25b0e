package io.jrun.runtime.engine;

import io.jrun.cni.simple.SimpleCniProgram;
import io.jrun.kernel.BriefThreads;
import io.jrun.kernel.HelperGoneException;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.DescriptorCall;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.SocketCall;
import io.jrun.kernel.host.HostKernel;
import io.jrun.kernel.wire.Hello;
import io.jrun.kernel.wire.Helper;
import io.jrun.runtime.cli.JrunCommand;
import io.jrun.runtime.container.Containers;
import io.jrun.runtime.shim.Shim;
import io.jrun.specs.runtime.Rfc3339;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/// Serves the clients that connect to its socket until it has been idle for long. The thread that
/// accepts a client serves it, and others accept meanwhile, so that no client waits for one thread
/// to wake another.
final class Engine {
  private static final long IDLE_MILLIS = Long.getLong("jrun.engine.idleMillis", 10 * 60 * 1000);
  private static final long LOOK_MILLIS = Long.getLong("jrun.engine.lookMillis", 2500);

  /// More than the ten seconds that the probes of a pod are usually apart.
  private static final int LOOKS_BEFORE_REST = 5;

  private static final long LONE_MILLIS = 2000;
  private static final long LEAVING_MILLIS = 20;
  private static final long LEAVING_PODS_MILLIS = 5000;
  private static final long STOP_SECONDS = 10;
  private static final int SPARE_THREADS = 2;
  private static final int POLLIN = 1;

  private final HostKernel kernel;
  private final Containers containers;
  private final EngineNetworks networks;
  private final Path library;
  private final Shim shim;
  private final Instant started = Instant.now();
  private final AtomicInteger active = new AtomicInteger();
  private final AtomicInteger accepting = new AtomicInteger();
  private final AtomicLong served = new AtomicLong();
  private final AtomicLong lastServedNanos = new AtomicLong(System.nanoTime());
  private final Activity activity = new Activity();
  private final CountDownLatch leaving = new CountDownLatch(1);
  private final CountDownLatch unfindable = new CountDownLatch(1);
  private final ExecutorService threads = BriefThreads.named("client");
  private volatile boolean stopping;
  private volatile String socketPath = "";

  Engine(HostKernel kernel, Containers containers, EngineNetworks networks, Path library) {
    this.kernel = kernel;
    this.containers = containers;
    this.networks = networks;
    this.library = library;
    this.shim = new Shim(kernel, containers, library, RuntimeFeatures::describe, activity::happen);
  }

  EngineNetworks networks() {
    return networks;
  }

  /// Accepts until idle or stopped.
  ///
  /// @param files the path of the socket and the lock, without their endings
  void serve(Descriptor listener, String files) {
    socketPath = files + ".sock";
    kernel.call(new SocketCall.ReceiveTimeout(listener, IDLE_MILLIS));
    for (int i = 0; i < SPARE_THREADS; i++) threads.execute(() -> acceptAndServe(listener));
    Subreaper.watch(leaving, this::beginToLeave, this::isIdle);
    try {
      lookUntilLeaving();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    leave(listener, files);
  }

  private void lookUntilLeaving() throws InterruptedException {
    Rest rest = new Rest(kernel, containers, library);
    Heap heap = Heap.of(rest);
    int still = 0;
    while (!leaving.await(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
      heap.look();
      containers.rest(LOOK_MILLIS);
      if (isIdle(LONE_MILLIS) && MountNamespace.hasNobodyElse(uid())) beginToLeave();
      still = activity.hasHappened() ? 0 : still + 1;
      if (still == LOOKS_BEFORE_REST) rest.begin();
      if (still <= LOOKS_BEFORE_REST) continue;
      still = 0;
      activity.expect();
      if (leaving.getCount() == 0 || activity.hasHappened()) continue;
      rest.until(activity);
    }
  }

  private void beginToLeave() {
    leaving.countDown();
    activity.happen();
  }

  private void acceptAndServe(Descriptor listener) {
    while (!stopping) {
      accepting.incrementAndGet();
      OwnedDescriptor client;
      int others;
      try {
        client = accept(listener);
      } finally {
        others = accepting.decrementAndGet();
      }
      if (client == null) {
        if (isIdle(IDLE_MILLIS)) beginToLeave();
        continue;
      }
      if (others == 0) threads.execute(() -> acceptAndServe(listener));
      serveClient(client);
      if (accepting.get() >= SPARE_THREADS) return;
    }
  }

  private boolean isIdle(long millis) {
    return active.get() == 0
        && shim.pods() == 0
        && System.nanoTime() - lastServedNanos.get() >= millis * 1_000_000;
  }

  /// Under the lock that starters take, the socket's name goes first, so nobody new finds it; who
  /// had connected before that is served. Foreground containers watch themselves on.
  private void leave(Descriptor listener, String files) {
    Descriptor lock = kernel.call(FileCall.Openat.creating(files + ".lock", FileCall.O_RDWR, 0600));
    kernel.call(new FileCall.Flock(lock, FileCall.LOCK_EX));
    kernel.call(new FileCall.Unlinkat(Descriptor.CWD, socketPath, 0));
    kernel.call(new FileCall.Flock(lock, FileCall.LOCK_UN));
    stopping = true;
    unfindable.countDown();
    // another thread may be quicker to accept whom a poll saw here
    kernel.call(new SocketCall.ReceiveTimeout(listener, LEAVING_MILLIS));
    while (kernel.call(new DescriptorCall.Poll(listener, POLLIN, 0)) != 0) {
      OwnedDescriptor client = accept(listener);
      if (client != null) threads.execute(() -> serveClient(client));
    }
    shim.leave(LEAVING_PODS_MILLIS);
    while (active.get() > containers.watched()) {
      kernel.call(new DescriptorCall.Poll(listener, POLLIN, LEAVING_MILLIS));
    }
    DeadEngines.remove(kernel, Path.of(files).resolveSibling(""), Duration.ofDays(1));
  }

  /// A client of this user, counted as active; null for none.
  private @Nullable OwnedDescriptor accept(Descriptor listener) {
    try {
      int number = ((Descriptor.Known) kernel.call(new SocketCall.Accept4(listener))).number();
      active.incrementAndGet();
      activity.happen();
      OwnedDescriptor socket = new OwnedDescriptor(kernel, number);
      List<Integer> peer = kernel.call(new SocketCall.PeerCredentials(socket.descriptor()));
      if (peer.get(1) == containers.uid()) return socket;
      socket.close();
      active.decrementAndGet();
      return null;
    } catch (KernelException e) {
      // none for long, or one that vanished before it was accepted
      if (!e.errno().equals(Errno.EAGAIN) && !e.errno().equals(Errno.ECONNABORTED)) throw e;
      return null;
    }
  }

  void serveClient(OwnedDescriptor socket) {
    try (Helper client = new Helper(kernel, socket)) {
      Hello hello = client.hello();
      try {
        serve(client, socket, hello);
      } catch (RuntimeException | Error e) {
        if (e instanceof HelperGoneException gone) throw gone;
        confess(client, e);
      }
    } catch (HelperGoneException e) {
      // the caller has ended, and what it had begun is rolled back by now
    } finally {
      containers.afterExit();
      served.incrementAndGet();
      lastServedNanos.set(System.nanoTime());
      active.decrementAndGet();
    }
  }

  private void serve(Helper client, OwnedDescriptor socket, Hello hello) {
    if (Shim.isNamed(hello.argv())) {
      if (Shim.isKeeper(hello.argv())) serveKeeper(socket, hello);
      else new Invocation(client).exit(shim.command(client, hello));
      return;
    }
    if (SimpleCniProgram.isNamed(hello.argv())) {
      new SimpleCniProgram(kernel, networks.plugin()).serve(client, hello.env());
      return;
    }
    Invocation invocation = new Invocation(client);
    int status =
        JrunCommand.execute(
            hello.argv().subList(1, hello.argv().size()),
            new EngineOperations(this, containers, client, hello, invocation),
            invocation);
    invocation.exit(status);
  }

  /// A keeper stays, and does not keep the engine from leaving.
  private void serveKeeper(OwnedDescriptor socket, Hello hello) {
    active.decrementAndGet();
    try {
      shim.serve(socket, hello);
    } finally {
      active.incrementAndGet();
    }
  }

  /// An unexpected failure, such as a defect of jrun's own or a JVM out of memory: it is logged
  /// with its stack, and the thread goes on serving others.
  private static void confess(Helper client, Throwable e) {
    e.printStackTrace();
    Invocation invocation = new Invocation(client);
    invocation.err("jrun: internal error: " + e + " (the engine's log tells where)\n");
    invocation.exit(1);
  }

  /// Lets the engine go when the commands under way are done. Who comes after this returns finds
  /// another.
  void stop() {
    beginToLeave();
    if (socketPath.isEmpty()) return; // a one-shot engine leaves anyway
    try {
      if (!unfindable.await(STOP_SECONDS, TimeUnit.SECONDS))
        throw new IllegalStateException("the engine cannot give up " + socketPath);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /// Lets every engine of this installation go, this one too unless the command has started it. The
  /// keepers of their pods find another, of the program that is installed now.
  void restart(HelperKernel client) {
    boolean isNew = isNew();
    for (Path other : EngineProcesses.others(library, socketPath))
      EngineProcesses.stop(kernel, client, library, other);
    if (!isNew) stop();
  }

  /// Whether the command that asks has started it: it has had no other client, and no pod.
  private boolean isNew() {
    return served.get() == 0 && active.get() <= 1 && shim.pods() == 0;
  }

  Kernel kernel() {
    return kernel;
  }

  int uid() {
    return containers.uid();
  }

  /// A JSON object about it; empty where it was started to be asked, so that none ran: then it
  /// leaves.
  Optional<String> status() {
    if (isNew()) {
      stop();
      return Optional.empty();
    }
    return Optional.of(describe());
  }

  private String describe() {
    return "{\"pid\":"
        + ProcessHandle.current().pid()
        + ",\"started\":\""
        + Rfc3339.format(started)
        + "\",\"active\":"
        + active.get()
        + ",\"served\":"
        + served.get()
        + ",\"pods\":"
        + shim.pods()
        + ",\"threads\":"
        + Thread.activeCount()
        + ",\"heapBytes\":"
        + Heap.usedBytes()
        + "}";
  }
}

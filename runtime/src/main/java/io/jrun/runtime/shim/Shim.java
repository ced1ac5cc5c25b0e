package io.jrun.runtime.shim;

import io.jrun.kernel.BriefThreads;
import io.jrun.kernel.HelperGoneException;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.wire.Hello;
import io.jrun.kernel.wire.Keeper;
import io.jrun.kernel.wire.KeeperMessage;
import io.jrun.runtime.container.Containers;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.function.Supplier;

/// containerd's shim, `containerd-shim-jrun-v2`, as far as the engine has to do with it.
public final class Shim {
  private static final String NAME = "containerd-shim-jrun-v2";

  private final Kernel kernel;
  private final Containers containers;
  private final Supplier<String> features;
  private final Set<PodServer> pods = ConcurrentHashMap.newKeySet();
  private final SharedByPods shared;

  /// @param library the directory of the installed engine, beside which the helper lies
  /// @param activity is told that a keeper has sent something
  public Shim(
      Kernel kernel,
      Containers containers,
      Path library,
      Supplier<String> features,
      Runnable activity) {
    this.kernel = kernel;
    this.containers = containers;
    this.features = features;
    this.shared =
        new SharedByPods(
            kernel,
            containers,
            ShimProgram.open(kernel, library.resolve("../../bin/jrun")),
            new OomWatcher(kernel),
            BriefThreads.named("task"),
            timer(),
            activity);
  }

  private static ScheduledExecutorService timer() {
    ScheduledThreadPoolExecutor timer =
        new ScheduledThreadPoolExecutor(
            1, Thread.ofPlatform().name("shim-timer").daemon(true).factory());
    timer.setRemoveOnCancelPolicy(true);
    return timer;
  }

  /// Whether a client was called by the shim's name.
  public static boolean isNamed(List<String> argv) {
    return !argv.isEmpty() && argv.getFirst().endsWith(NAME);
  }

  /// Whether such a client is the keeper of a pod.
  public static boolean isKeeper(List<String> argv) {
    return ShimLine.parse(argv).action().equals("start");
  }

  /// Serves a pod for as long as its keeper is connected.
  public void serve(OwnedDescriptor socket, Hello hello) {
    Keeper keeper = new Keeper(kernel, socket);
    PodServer server;
    try {
      keeper.welcome();
      if (!(keeper.receive() instanceof KeeperMessage.Attach attach))
        throw new HelperGoneException("the keeper does not say who it is");
      if (PodServer.isEnding(attach.state())) {
        PodServer.end(keeper, attach.state());
        keeper.close();
        return;
      }
      server =
          new PodServer(shared, keeper, attach.state(), ShimLine.parse(hello.argv()), hello.env());
    } catch (RuntimeException e) {
      keeper.close();
      throw e;
    }
    pods.add(server);
    try {
      server.serve();
    } finally {
      pods.remove(server);
    }
  }

  /// Performs what containerd runs the shim for, other than `start`; returns the exit status.
  public int command(HelperKernel client, Hello hello) {
    return new ShimCommand(kernel, containers, client, hello, features).perform();
  }

  /// How many pods are served.
  public int pods() {
    return pods.size();
  }

  /// Lets all pods go, to an engine that their keepers find; what is under way is answered first.
  public void leave(long millis) {
    for (PodServer pod : pods) pod.leave(millis);
  }
}

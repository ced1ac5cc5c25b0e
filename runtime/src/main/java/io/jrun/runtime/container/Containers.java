package io.jrun.runtime.container;

import io.jrun.cni.container.ContainerNetworks;
import io.jrun.cni.container.Networks;
import io.jrun.cni.network.ResultCache;
import io.jrun.cni.simple.SimpleCni;
import io.jrun.image.commands.RecentImages;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.IoReason;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.trace.Trace;
import io.jrun.kernel.trace.TracedHelper;
import io.jrun.kernel.trace.TracedKernel;
import io.jrun.kernel.wire.Hello;
import io.jrun.runtime.cgroup.Cgroup;
import io.jrun.runtime.cgroup.Cgroups;
import io.jrun.runtime.cli.Log;
import io.jrun.runtime.cli.RunOptions;
import io.jrun.runtime.process.SealedExe;
import io.jrun.runtime.rehearsal.Rehearsal;
import io.jrun.runtime.seccomp.SeccompCompiler;
import io.jrun.runtime.systemd.ManagerAddress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// What all operations share: the kernel, the cgroup hierarchies, the sealed helper.
public final class Containers {
  /// How many ids the initial user namespace maps; no other namespace can have as many.
  private static final String ALL_IDS = "4294967295";

  final Kernel kernel;
  final Cgroups cgroups;
  final SealedExe exe;
  final SeccompCompiler seccomp;
  final Configs configs;
  final AtomicInteger watched;
  final FindSystemd systemd;
  final RecentImages recentImages;

  /// Whether the last container had a [NewNetwork]: the next is likely to have one too.
  volatile boolean lastHadNewNetwork;

  private final Supplier<Networks> networks;
  private final int uid;
  private final boolean isInUserNamespace;
  private final long capabilities;

  /// @param library the directory of the installed engine, beside which the helper lies
  public Containers(Kernel kernel, Path library) throws IOException {
    this.kernel = kernel;
    this.cgroups = new Cgroups(kernel);
    this.exe = new SealedExe(kernel, library.resolve("../../bin/jrun"));
    this.seccomp = new SeccompCompiler();
    this.configs = new Configs();
    this.watched = new AtomicInteger();
    this.recentImages = new RecentImages(kernel);
    this.networks = new Lazy<>(() -> networks(kernel, library.resolve("../../bin/jrun")));
    this.systemd = this::findSystemd;
    this.uid = (int) Files.getAttribute(Path.of("/proc/self"), "unix:uid");
    this.isInUserNamespace = !Files.readString(Path.of("/proc/self/uid_map")).contains(ALL_IDS);
    this.capabilities = GrantedCapabilities.own();
  }

  /// Finds the systemd that makes scopes; a rehearsal has none.
  interface FindSystemd {
    /// @param user whether it is the user's own
    /// @param variable of the caller's environment
    ManagerAddress find(boolean user, Function<String, Optional<String>> variable);
  }

  private ManagerAddress findSystemd(boolean user, Function<String, Optional<String>> variable) {
    try {
      return ManagerAddress.find(user, uid, variable);
    } catch (IllegalStateException e) {
      throw new ContainerException("--systemd-cgroup: " + e.getMessage());
    }
  }

  /// The cgroup of a container made earlier, whoever made it.
  Cgroup cgroup(StoredState state) {
    return cgroups.open(state.cgroups(), state.scope());
  }

  private static Networks networks(Kernel kernel, Path helper) {
    return new ContainerNetworks(
        kernel, new SimpleCni(kernel), helper, new ResultCache(kernel, ResultCache.DEFAULT));
  }

  /// The directories of the cgroups that a process is in.
  public Collection<String> cgroupsOf(int pid) {
    Path file = Path.of("/proc", Integer.toString(pid), "cgroup");
    try {
      return cgroups.current(Files.readString(file)).values();
    } catch (IOException e) {
      throw new ContainerException("cannot read " + file + ": " + IoReason.of(e));
    }
  }

  /// Moves a process into a cgroup that is there, in every hierarchy that has it.
  public void join(String path, int pid) {
    cgroups.existing(path).add(pid);
  }

  /// Networks, made when the first container asks for one.
  Networks networks() {
    return networks.get();
  }

  /// A value that is made when it is first asked for.
  private static final class Lazy<T> implements Supplier<T> {
    private final Supplier<T> make;
    private @Nullable T made;

    Lazy(Supplier<T> make) {
      this.make = make;
    }

    @Override
    public synchronized T get() {
      T value = made;
      if (value == null) {
        value = make.get();
        made = value;
      }
      return value;
    }
  }

  /// A container's init.
  HostProcess init(StoredState state) {
    return new HostProcess(kernel, state.initPid(), state.initStartTime());
  }

  /// Does what need not be done while a client waits, after its exit.
  public void afterExit() {
    recentImages.removeLeftovers();
  }

  /// Gives back what was kept for clients that did not come in so long a time.
  public void rest(long millis) {
    recentImages.removeSpares(millis * 1_000_000);
  }

  /// Forgets what would only save the next client from reading it.
  public void forget() {
    configs.forget();
  }

  /// How many clients watch a foreground process and need nothing of the engine until it ends.
  public int watched() {
    return watched.get();
  }

  /// Whether the engine is in a user namespace of somebody's.
  boolean isInUserNamespace() {
    return isInUserNamespace;
  }

  /// The engine's own, bit by bit.
  long capabilities() {
    return capabilities;
  }

  /// Whether the host may refuse what root may do.
  boolean isUnprivileged() {
    return uid != 0 || isInUserNamespace;
  }

  public int uid() {
    return uid;
  }

  private Containers(
      Containers all, Kernel kernel, Supplier<Networks> networks, FindSystemd systemd) {
    this.kernel = kernel;
    this.cgroups = new Cgroups(kernel);
    this.exe = all.exe;
    this.seccomp = all.seccomp;
    this.configs = all.configs;
    this.watched = all.watched;
    this.recentImages = all.recentImages;
    this.networks = networks;
    this.systemd = systemd;
    this.uid = all.uid;
    this.isInUserNamespace = all.isInUserNamespace;
    this.capabilities = all.capabilities;
  }

  /// @param log of the one command that the operations are for
  public ContainerOperations operations(HelperKernel client, Hello hello, Log log) {
    return new ContainerOperations(this, new ClientProcess(client, hello.env(), log));
  }

  /// Performs one operation and traces its calls.
  public <R> R traced(
      HelperKernel client, Hello hello, Log log, Function<ContainerOperations, R> operation) {
    Trace trace = new Trace(log::line);
    Containers traced = new Containers(this, new TracedKernel(kernel, trace), networks, systemd);
    try {
      return operation.apply(
          traced.operations(new TracedHelper(Trace.CLIENT, client, trace), hello, log));
    } finally {
      traced.cgroups.close();
      trace.flush();
    }
  }

  /// The calls that a `run` would make, none of them made. Where it cannot be played to its end
  /// they are told up to there.
  ///
  /// @param told takes the text
  public void plan(
      HelperKernel client, Hello hello, Log log, RunOptions options, Consumer<String> told) {
    Rehearsal rehearsal = new Rehearsal(kernel, client);
    FindSystemd noSystemd =
        (user, variable) -> {
          throw new ContainerException("--systemd-cgroup cannot be rehearsed");
        };
    Containers rehearsed =
        new Containers(this, rehearsal.kernel(), new Lazy<>(rehearsal::networks), noSystemd);
    try {
      rehearsed.operations(rehearsal.client(), hello, log).run(options);
    } finally {
      rehearsed.cgroups.close();
      told.accept(rehearsal.text());
    }
  }
}

package io.jrun.runtime.container;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.DescriptorCall;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.kernel.call.SecurityCall;
import io.jrun.specs.json.Json;
import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.Hook;
import io.jrun.specs.runtime.Hooks;
import io.jrun.specs.runtime.State;
import io.jrun.specs.runtime.Status;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Runs a container's hooks: those of the runtime as children of the client, those of the container
/// as children of its init, each with the state as its namespace sees it.
final class HookRunner {
  private static final int F_SETFD = 2;
  private static final int FD_CLOEXEC = 1;

  private final Kernel kernel;
  private final ClientProcess client;
  private final Config config;
  private final StoredState state;

  HookRunner(Kernel kernel, ClientProcess client, Config config, StoredState state) {
    this.kernel = kernel;
    this.client = client;
    this.config = config;
    this.state = state;
  }

  /// Those before the container's own.
  ///
  /// @param pid of init
  void creating(int pid) {
    Hooks hooks = config.hooks();
    run("prestart", ofRuntime(hooks.prestart()), client.helper, Status.CREATING, pid);
    run("createRuntime", ofRuntime(hooks.createRuntime()), client.helper, Status.CREATING, pid);
  }

  /// They begin in the directory that init is in.
  void createContainer(HelperKernel init) {
    List<Hook> hooks = config.hooks().createContainer();
    if (hooks.isEmpty()) return;
    run("createContainer", hooks, init, Status.CREATING, ownPid(init));
  }

  /// Runs those of the container itself, in its init and under the filter of its program. One
  /// without an environment has the program's: not in the specification, but runc's way for long.
  ///
  /// @param seccomp null where there is none, or init has it already
  /// @param isFiltered whether init has it already
  void startContainer(
      List<String> env,
      HelperKernel init,
      byte @Nullable [] seccomp,
      int seccompFlags,
      boolean isFiltered) {
    List<Hook> hooks = config.hooks().startContainer();
    if (hooks.isEmpty()) return;
    Consumer<Batch> last =
        batch -> {
          if (isFiltered) addOwnDescriptorsUnderFilter(batch);
          else addOwnDescriptors(batch);
          if (seccomp != null) batch.add(new SecurityCall.Seccomp(seccompFlags, seccomp, false));
        };
    run("startContainer", withEnv(hooks, env), init, Status.CREATED, ownPid(init), last);
  }

  void poststart() {
    List<Hook> hooks = ofRuntime(config.hooks().poststart());
    run("poststart", hooks, client.helper, Status.RUNNING, state.initPid());
  }

  boolean hasPoststop() {
    return !config.hooks().poststop().isEmpty();
  }

  /// Runs them all; failures are only warnings, as the specification asks.
  void poststop() {
    List<Hook> hooks = ofRuntime(config.hooks().poststop());
    for (int i = 0; i < hooks.size(); i++) {
      try {
        runOne(hooks.get(i), client.helper, Status.STOPPED, 0, HookRunner::addOwnDescriptors);
      } catch (ContainerException | KernelException e) {
        client.log.warning("error running poststop hook #" + i + ": " + e.getMessage());
      }
    }
  }

  /// Those without an environment have the caller's, as with runc and crun.
  private List<Hook> ofRuntime(List<Hook> hooks) {
    return withEnv(hooks, client.env());
  }

  private static List<Hook> withEnv(List<Hook> hooks, List<String> env) {
    return hooks.stream().map(hook -> hook.withDefaultEnv(env)).toList();
  }

  private static int ownPid(HelperKernel init) {
    return init.call(new ProcessCall.Getpid());
  }

  private static void addOwnDescriptors(Batch batch) {
    batch.add(new DescriptorCall.CloseRange(3, -1, DescriptorCall.CLOSE_RANGE_CLOEXEC));
  }

  /// The same where a filter may refuse close_range(2): but for the preserved ones, all that init
  /// has is closed, or close-on-exec.
  private void addOwnDescriptorsUnderFilter(Batch batch) {
    for (int fd = 3; fd < 3 + state.preservedFds(); fd++)
      batch.attempt(new DescriptorCall.Fcntl(new Descriptor.Known(fd), F_SETFD, FD_CLOEXEC));
  }

  private void run(String kind, List<Hook> hooks, HelperKernel parent, Status status, int pid) {
    run(kind, hooks, parent, status, pid, HookRunner::addOwnDescriptors);
  }

  /// Runs them in order, stopping at the first failure.
  ///
  /// @param pid of init, as the hooks see it
  /// @param before what a hook's process does last before its program
  private void run(
      String kind,
      List<Hook> hooks,
      HelperKernel parent,
      Status status,
      int pid,
      Consumer<Batch> before) {
    for (int i = 0; i < hooks.size(); i++) {
      try {
        runOne(hooks.get(i), parent, status, pid, before);
      } catch (RuntimeException e) {
        throw new ContainerException("error running " + kind + " hook #" + i, e);
      }
    }
  }

  private void runOne(
      Hook hook, HelperKernel parent, Status status, int pid, Consumer<Batch> before) {
    State told =
        new State(
            config.ociVersion(),
            state.id(),
            status,
            pid,
            state.bundle(),
            config.annotations(),
            Json.JsonObject.EMPTY);
    byte[] json = told.toJson().toText("").getBytes(StandardCharsets.UTF_8);
    new HookProcess(kernel, parent, hook).run(json, before);
  }
}

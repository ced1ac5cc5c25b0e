package io.jrun.runtime.container;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperGoneException;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.CredentialCall;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.kernel.call.PseudoCall;
import io.jrun.kernel.call.SignalCall;
import io.jrun.runtime.cgroup.CgroupException;
import io.jrun.specs.runtime.Config;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// The birth of a container's init, in its cgroup of v2, and what the client looks at before. Init
/// is directed before it is known to be there, unless the birth needs a [Middle].
final class InitBirth {
  private static final Results NOTHING_LOOKED_AT = new Results(List.of(), List.of(), List.of());

  private final Containers containers;
  private final ClientProcess client;
  private final NamespacePlan namespaces;
  private final NewCgroup cgroup;
  private final MountSources sources;
  private final StdioOwner stdio;
  private final boolean reaps;
  private Child.@Nullable Birth birth;
  private @Nullable Child init;
  private Results looked = NOTHING_LOOKED_AT;

  /// @param stdio sees what the client has
  /// @param reaps whether the client is to reap what the container leaves behind
  InitBirth(
      Containers containers,
      ClientProcess client,
      NamespacePlan namespaces,
      NewCgroup cgroup,
      MountSources sources,
      StdioOwner stdio,
      boolean reaps) {
    this.containers = containers;
    this.client = client;
    this.namespaces = namespaces;
    this.cgroup = cgroup;
    this.sources = sources;
    this.stdio = stdio;
    this.reaps = reaps;
  }

  /// Clones init.
  ///
  /// @param undoing what the client runs if the engine dies
  void begin(List<String> undoing) {
    cgroup.makeBirthplace();
    Batch batch = new Batch();
    batch.add(new PseudoCall.OnEof(undoing, 1));
    sources.ask(batch);
    stdio.ask(batch);
    namespaces.addParentJoins(batch);
    birth =
        Child.begin(
            containers.kernel,
            client.helper,
            batch,
            namespaces.cloneFlags(),
            cgroup.birthplace(),
            after -> {
              if (reaps) addReaping(after);
            });
  }

  /// Clones init by way of another process, which joins the whole cgroup with the caller's rights:
  /// init has none over it.
  void throughMiddle(List<String> undoing, Config config) {
    cgroup.makeBirthplace();
    boolean takesIn = cgroup.takesIn();
    if (!takesIn) cgroup.makeRest(() -> 0);
    Batch batch = new Batch();
    batch.add(new PseudoCall.OnEof(undoing, 1));
    sources.ask(batch);
    stdio.ask(batch);
    if (reaps) addReaping(batch);
    looked = client.helper.run(batch);
    stdio.see(looked);
    try {
      init =
          Middle.init(
              containers,
              client,
              namespaces,
              config,
              cgroup.cgroup(),
              cgroup.birthplace(),
              pid -> {
                if (takesIn) cgroup.makeRest(() -> pid);
              });
    } catch (CgroupException e) {
      if (cgroup.cgroup().paths().isEmpty() || takesIn) throw e;
      cgroup.doWithout(e);
      init = Middle.init(containers, client, namespaces, config, cgroup.cgroup(), null, pid -> {});
    }
  }

  private static void addReaping(Batch batch) {
    batch.add(new CredentialCall.Prctl(CredentialCall.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
  }

  /// Directs init, which may be on its way.
  HelperKernel helper() {
    return init == null ? Objects.requireNonNull(birth).helper() : init.helper();
  }

  /// Init, once it is there.
  Child await() {
    if (init == null) {
      init = Objects.requireNonNull(birth).await();
      looked = init.before();
      stdio.see(looked);
    }
    return init;
  }

  /// For each bind mount whether its source is a directory; waits where one was looked at.
  List<Boolean> directories() {
    if (sources.areAsked()) await();
    return sources.directories(looked);
  }

  /// Init, also one that had not been waited for; null where there is none, or it ends with its
  /// client.
  @Nullable Child born() {
    if (init != null || birth == null) return init;
    try {
      return birth.await();
    } catch (KernelException | HelperGoneException e) {
      return null;
    }
  }

  /// Ends and reaps it.
  void end(Child child) {
    child.close();
    HostProcess.of(containers.kernel, child.pid()).signal(SignalCall.SIGKILL);
    reap(child.pid());
  }

  private void reap(int pid) {
    try {
      Batch batch = new Batch();
      batch.add(new ProcessCall.Wait4(pid, 0), Errno.ECHILD); // its watcher has reaped it
      client.helper.run(batch);
    } catch (HelperGoneException e) {
      // the client is gone, and init with it (PR_SET_PDEATHSIG)
      HostProcess.of(containers.kernel, pid).awaitEnd(5000);
    }
  }
}

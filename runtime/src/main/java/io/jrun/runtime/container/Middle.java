package io.jrun.runtime.container;

import static io.jrun.kernel.call.FileCall.*;
import static io.jrun.kernel.call.NamespaceCall.*;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperGoneException;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.CredentialCall;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.NamespaceCall;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.kernel.call.PseudoCall;
import io.jrun.kernel.call.SignalCall;
import io.jrun.runtime.cgroup.Cgroup;
import io.jrun.runtime.cgroup.CgroupException;
import io.jrun.runtime.process.IdentityPlan;
import io.jrun.runtime.process.SchedulingPlan;
import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.Linux;
import io.jrun.specs.runtime.Namespace;
import io.jrun.specs.runtime.NamespaceType;
import io.jrun.specs.runtime.Process;
import io.jrun.specs.runtime.TimeOffset;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.IntConsumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// The process between the client and a process that belongs to another user namespace or to a time
/// namespace. It goes there, then makes that process a child of the client (CLONE_PARENT) and ends.
///
/// ```
///   client --clone--> middle: joins by path, user namespace (the client writes its ids), root
///     |                 |     there, time namespace and its offsets
///     | <--CLONE_PARENT-+---> init: in all of these, and in what clone3 makes new, so that the
///     |                       user namespace owns it
/// ```
final class Middle {
  private final Containers containers;
  private final ClientProcess client;
  private final Child child;

  private final Cgroup cgroup;
  private final @Nullable String birthplace;

  private Middle(
      Containers containers,
      ClientProcess client,
      Cgroup cgroup,
      Child child,
      @Nullable String birthplace) {
    this.containers = containers;
    this.client = client;
    this.cgroup = cgroup;
    this.child = child;
    this.birthplace = birthplace;
  }

  private static Child born(
      Containers containers, ClientProcess client, @Nullable String birthplace) {
    return Child.begin(containers.kernel, client.helper, new Batch(), 0, birthplace, after -> {})
        .await();
  }

  /// Clones a container's init.
  ///
  /// @param birthplace the cgroup of v2 that it is born in; null for the caller's
  /// @param born is told of the process between, before that goes anywhere
  static Child init(
      Containers containers,
      ClientProcess client,
      NamespacePlan namespaces,
      Config config,
      Cgroup cgroup,
      @Nullable String birthplace,
      IntConsumer born) {
    Child child;
    try {
      child = born(containers, client, birthplace);
    } catch (KernelException e) {
      if (birthplace == null) throw e;
      throw new CgroupException("cannot join the container's cgroup", e);
    }
    Middle middle = new Middle(containers, client, cgroup, child, birthplace);
    int pid = child.pid();
    return middle.make(() -> {
      born.accept(pid);
      return middle.init(namespaces, config);
    });
  }

  /// Clones a process into a running container's namespaces.
  ///
  /// @param initPid of the container
  static Child exec(
      Containers containers,
      ClientProcess client,
      Config config,
      int initPid,
      Process process,
      Cgroup cgroup) {
    String birthplace = cgroup.birthplace();
    Child child;
    try {
      child = born(containers, client, birthplace);
    } catch (KernelException e) {
      // a user may not move processes from outside of what is delegated to him; his systemd can
      if (!e.errno().equals(Errno.EACCES) || cgroup.scope().isEmpty()) throw e;
      birthplace = null;
      child = born(containers, client, null);
    }
    Middle middle = new Middle(containers, client, cgroup, child, birthplace);
    int pid = child.pid();
    boolean isOutside = birthplace == null && cgroup.birthplace() != null;
    return middle.make(() -> {
      if (isOutside) cgroup.attach(pid);
      return middle.exec(config.linux(), initPid, process);
    });
  }

  private Child init(NamespacePlan namespaces, Config config) {
    Batch first = new Batch();
    prepare(first, config.process());
    cgroup.joinV1(first);
    SchedulingPlan.resetAffinity(first);
    List<Namespace> joined = new ArrayList<>(namespaces.joined());
    boolean joinsUser = !joined.isEmpty() && joined.getFirst().type() == NamespaceType.USER;
    Descriptor user = joinsUser ? NamespacePlan.open(first, joined.removeFirst()) : Descriptor.NONE;
    NamespaceJoins joins = new NamespaceJoins();
    for (Namespace namespace : joined)
      joins.open(first, namespace, Objects.requireNonNull(namespace.path()));
    if (joinsUser) joins.addEarly(first, namespace -> true);
    else joins.addAll(first);
    if (joinsUser) first.add(new NamespaceCall.Setns(user, CLONE_NEWUSER));
    else if (namespaces.makes(NamespaceType.USER))
      first.add(new NamespaceCall.Unshare(CLONE_NEWUSER));
    Results results;
    try {
      results = child.helper().run(first);
    } catch (KernelException e) {
      throw Cgroup.explained(e);
    }
    if (namespaces.makes(NamespaceType.USER))
      IdMaps.write(containers, client, child.pid(), config.linux());

    Batch second = new Batch();
    if (namespaces.makes(NamespaceType.TIME)) time(second, config.linux().timeOffsets());
    if (namespaces.has(NamespaceType.USER)) becomeRoot(second);
    joins.addLate(second, results);
    // init may be born among processes of a pid namespace that it joins
    second.add(new CredentialCall.Prctl(CredentialCall.PR_SET_DUMPABLE, 0, 0, 0, 0));
    return Child.clone(
        containers.kernel,
        child.helper(),
        second,
        namespaces.cloneFlags() & ~(CLONE_NEWUSER | CLONE_NEWTIME) | CLONE_PARENT);
  }

  private void prepare(Batch batch, @Nullable Process process) {
    Child.addForgetCgroup(batch, birthplace);
    batch.add(new PseudoCall.ResetSignals());
    batch.add(
        new CredentialCall.Prctl(CredentialCall.PR_SET_PDEATHSIG, SignalCall.SIGKILL, 0, 0, 0));
    // written while this still has the caller's rights; init inherits it
    if (process != null) IdentityPlan.oomScore(batch, process);
  }

  /// A child is in the new time namespace, whose clocks nobody may have read before they are set.
  private static void time(Batch batch, Map<String, TimeOffset> offsets) {
    batch.add(new NamespaceCall.Unshare(CLONE_NEWTIME));
    if (offsets.isEmpty()) return;
    StringBuilder text = new StringBuilder();
    offsets.forEach((clock, offset) ->
        text.append(clock)
            .append(' ')
            .append(offset.secs())
            .append(' ')
            .append(offset.nanosecs())
            .append('\n'));
    batch.during(
        "setting timeOffsets",
        () -> {
          FileCall.Openat open = FileCall.Openat.existing("/proc/self/timens_offsets", O_WRONLY);
          Descriptor file = batch.add(open).descriptor();
          batch.add(new FileCall.Write(file, text.toString().getBytes(StandardCharsets.UTF_8)));
          batch.add(new FileCall.Close(file));
        });
  }

  /// Root of the user namespace: files made by its processes must have ids that it maps.
  private static void becomeRoot(Batch batch) {
    // refused where /proc/self/setgroups says deny: the caller's groups stay then
    batch.add(new CredentialCall.Setgroups(List.of()), Errno.EPERM);
    batch.add(new CredentialCall.Setresgid(0));
    batch.add(new CredentialCall.Setresuid(0));
  }

  private Child exec(Linux linux, int initPid, Process process) {
    Batch batch = new Batch();
    prepare(batch, process);
    if (process.execCpuAffinity() != null)
      SchedulingPlan.affinity(batch, process.execCpuAffinity().initial());
    cgroup.joinV1(batch);
    SchedulingPlan.affinityInCgroup(batch, process.execCpuAffinity());
    batch.add(new CredentialCall.Prctl(CredentialCall.PR_SET_DUMPABLE, 0, 0, 0, 0));
    // opened with the caller's rights over init, which those in its user namespace may lack
    NamespaceJoins joins = new NamespaceJoins();
    List<Namespace> others =
        linux.namespaces().stream()
            .filter(n -> n.type() != NamespaceType.USER && n.type() != NamespaceType.PID)
            .sorted(NamespacePlan.MOUNT_LAST)
            .toList();
    String directory = "/proc/" + initPid + "/ns/";
    if (linux.namespace(NamespaceType.MOUNT) == null) Execution.addRoot(batch, initPid);
    Descriptor user = open(batch, directory + "user");
    Descriptor pid = open(batch, directory + "pid");
    for (Namespace namespace : others)
      joins.open(batch, namespace, directory + NamespacePlan.procName(namespace.type()));
    // one that the container has joined may be owned by none but the caller's user namespace
    joins.addEarly(batch, n -> n.path() != null && n.type() != NamespaceType.MOUNT);
    batch.add(new NamespaceCall.Setns(user, CLONE_NEWUSER));
    if (linux.namespace(NamespaceType.PID) != null)
      batch.add(new NamespaceCall.Setns(pid, CLONE_NEWPID));
    becomeRoot(batch);
    containers.exe.addTo(batch);
    Child executed =
        Child.clone(containers.kernel, child.helper(), batch, NamespaceCall.CLONE_PARENT);
    Batch joining = new Batch();
    joins.addLate(joining, executed.before());
    joins.addClose(joining, executed.before());
    try {
      executed.helper().run(joining);
      return executed;
    } catch (RuntimeException e) {
      killAfter(executed, e);
      throw e;
    }
  }

  private static Descriptor open(Batch batch, String path) {
    return batch.add(FileCall.Openat.existing(path, O_RDONLY)).descriptor();
  }

  /// Makes a child; then the middle process has no more to do. Where it cannot be ended, or died of
  /// what failed, there is no child either.
  private Child make(Supplier<Child> making) {
    Child made;
    try {
      made = making.get();
    } catch (RuntimeException e) {
      killAfter(child, e);
      throw e;
    }
    try {
      kill(child);
      return made;
    } catch (RuntimeException e) {
      killAfter(made, e);
      throw e;
    }
  }

  private void killAfter(Child process, RuntimeException cause) {
    try {
      kill(process);
    } catch (RuntimeException e) {
      cause.addSuppressed(e);
    }
  }

  private void kill(Child process) {
    process.close();
    try {
      client.helper.call(new SignalCall.Kill(process.pid(), SignalCall.SIGKILL));
      client.helper.call(new ProcessCall.Wait4(process.pid(), 0));
    } catch (HelperGoneException e) {
      // the client is gone, and what it began with it (PR_SET_PDEATHSIG)
    }
  }
}

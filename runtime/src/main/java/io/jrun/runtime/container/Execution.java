package io.jrun.runtime.container;

import io.jrun.kernel.Batch;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.CredentialCall;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.NamespaceCall;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.kernel.call.PseudoCall;
import io.jrun.kernel.call.SignalCall;
import io.jrun.runtime.cgroup.Cgroup;
import io.jrun.runtime.cli.ExecOptions;
import io.jrun.runtime.process.IdentityPlan;
import io.jrun.runtime.process.SchedulingPlan;
import io.jrun.runtime.process.SecurityLabels;
import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.Namespace;
import io.jrun.specs.runtime.NamespaceType;
import io.jrun.specs.runtime.Process;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A further process in a running container. The client joins the pid namespace for its children,
/// so the new process is its child; all other namespaces are joined by that process itself.
final class Execution {
  private static final int SIGKILL = 9;

  private final Containers containers;
  private final ClientProcess client;

  Execution(Containers containers, ClientProcess client) {
    this.containers = containers;
    this.client = client;
  }

  int run(ExecOptions options, StoredState state, Config config, Cgroup cgroup, Process process) {
    byte[] seccomp =
        config.linux().seccomp() == null
            ? null
            : containers.seccomp.compile(config.linux().seccomp());
    int seccompFlags =
        config.linux().seccomp() == null ? 0 : containers.seccomp.flags(config.linux().seccomp());
    if (process.terminal() && options.detach() && options.consoleSocket() == null) {
      throw new ContainerException(
          "cannot allocate tty if jrun will detach without setting console socket");
    }
    Cgroup place =
        options.cgroups().isEmpty()
            ? cgroup
            : containers.cgroups.open(
                SubCgroups.of(cgroup.paths(), containers.cgroups.hierarchies(), options.cgroups()));
    client.checkDescriptors(options.preserveFds());
    Batch cloning = new Batch();
    // opened before the namespaces change: the pid is the caller's view of init
    Descriptor pidfd = client.helper.call(new SignalCall.PidfdOpen(state.initPid()));
    Child child;
    if (hasUserNamespace(config)) {
      child = Middle.exec(containers, client, config, state.initPid(), process);
    } else {
      if (config.linux().namespace(NamespaceType.PID) != null) {
        cloning.add(new NamespaceCall.Setns(pidfd, NamespaceCall.CLONE_NEWPID));
      }
      child = Child.clone(containers.kernel, client.helper, cloning, 0);
    }
    OwnedDescriptor master = null;
    try {
      if (process.execCpuAffinity() != null) affinity(child, process.execCpuAffinity().initial());
      place.add(child.pid());
      client.log.step("the process is born: pid " + child.pid());
      master = build(pidfd, config, process, child, seccomp, seccompFlags);
      client.helper.call(new FileCall.Close(pidfd));
      client.log.step("joined the container, found " + program);
      if (options.pidFile() != null)
        client.replace(options.pidFile(), Integer.toString(child.pid()));
      if (options.pidfdSocket() != null)
        Pidfd.send(client.helper, options.pidfdSocket(), Pidfd.EXEC, child.pid());
      if (options.detach()) {
        if (master != null)
          Console.send(
              client.helper, java.util.Objects.requireNonNull(options.consoleSocket()), master);
        start(child, options, process, seccomp, seccompFlags);
        return 0;
      }
      byte[] termios = master == null ? new byte[0] : Console.raw(client.helper);
      try {
        client.helper.call(new ProcessCall.Sigprocmask(ProcessCall.SIG_BLOCK, -1));
        start(child, options, process, seccomp, seccompFlags);
      } catch (RuntimeException e) {
        if (termios.length > 0)
          client.helper.call(new FileCall.IoctlWrite(Descriptor.STDIN, FileCall.TCSETS, termios));
        throw e;
      }
      return Foreground.watch(containers, client, child, master, termios);
    } catch (RuntimeException e) {
      child.close();
      try {
        client.helper.call(new SignalCall.Kill(child.pid(), SIGKILL));
        client.helper.call(new ProcessCall.Wait4(child.pid(), 0));
      } catch (RuntimeException again) {
        e.addSuppressed(again);
      }
      throw e;
    } finally {
      if (master != null) master.close();
      child.close();
    }
  }

  private static boolean hasUserNamespace(Config config) {
    return config.linux().namespace(NamespaceType.USER) != null;
  }

  private static void affinity(Child child, @Nullable String cpus) {
    Batch batch = new Batch();
    SchedulingPlan.affinity(batch, cpus);
    child.helper().run(batch);
  }

  private String program = "";
  private List<String> env = List.of();

  private @Nullable OwnedDescriptor build(
      Descriptor pidfd,
      Config config,
      Process process,
      Child child,
      byte @Nullable [] seccomp,
      int seccompFlags) {
    Batch batch = new Batch();
    batch.add(new PseudoCall.ResetSignals());
    batch.add(new CredentialCall.Prctl(CredentialCall.PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0));
    batch.add(new CredentialCall.Setsid());
    if (!hasUserNamespace(config)) {
      containers.exe.addTo(batch);
      IdentityPlan.oomScore(batch, process);
      long flags = 0;
      for (Namespace namespace : config.linux().namespaces()) {
        if (namespace.type() != NamespaceType.PID) flags |= NamespacePlan.flag(namespace.type());
      }
      batch.add(new NamespaceCall.Setns(pidfd, flags));
    }
    batch.add(new FileCall.Close(pidfd));
    Pending<byte[]> passwd = Program.askPasswd(batch);
    StdioOwner stdio = new StdioOwner(process.user().uid());
    stdio.ask(batch);
    Results joined = child.helper().run(batch);
    env = Program.environment(process, Program.passwd(child.helper(), joined, passwd), 0);
    OwnedDescriptor master = null;
    Batch last = new Batch();
    if (process.terminal()) {
      Batch opening = new Batch();
      Pending<Descriptor> root =
          opening.add(
              new FileCall.Openat(
                  Descriptor.CWD,
                  "/",
                  FileCall.O_PATH | FileCall.O_DIRECTORY | FileCall.O_CLOEXEC,
                  0,
                  false));
      Descriptor rootDescriptor = child.helper().run(opening).of(root);
      Console.Pair pair = Console.open(child.helper(), rootDescriptor, process.consoleSize());
      master = pair.master();
      Console.attach(last, pair.terminal(), process.user().uid(), process.user().gid());
      last.add(new FileCall.Close(rootDescriptor));
    } else stdio.addTo(last, joined);
    if (process.execCpuAffinity() != null)
      SchedulingPlan.affinity(last, process.execCpuAffinity().finalCpus());
    SchedulingPlan.add(last, process, config.linux());
    SecurityLabels.addTo(last, process);
    IdentityPlan.add(last, process, seccomp, seccompFlags, null, containers.isUnprivileged());
    try {
      program = Program.enterAndFind(child.helper(), last, process.cwd(), process.args(), env);
      return master;
    } catch (RuntimeException e) {
      if (master != null) master.close();
      throw e;
    }
  }

  private void start(
      Child child,
      ExecOptions options,
      Process process,
      byte @Nullable [] seccomp,
      int seccompFlags) {
    Program.start(
        child,
        Program.last(program, process, env, seccomp, seccompFlags, options.preserveFds()),
        process.args().getFirst());
  }
}

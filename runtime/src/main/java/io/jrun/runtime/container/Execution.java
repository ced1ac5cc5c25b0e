package io.jrun.runtime.container;

import io.jrun.kernel.Batch;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Reply;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.CredentialCall;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.DescriptorCall;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.NamespaceCall;
import io.jrun.kernel.call.Nothing;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.kernel.call.PseudoCall;
import io.jrun.kernel.call.SignalCall;
import io.jrun.runtime.cgroup.Cgroup;
import io.jrun.runtime.cli.ExecOptions;
import io.jrun.runtime.mount.MovedRoot;
import io.jrun.runtime.process.IdentityPlan;
import io.jrun.runtime.process.SchedulingPlan;
import io.jrun.runtime.process.SecurityLabels;
import io.jrun.runtime.resctrl.Resctrl;
import io.jrun.runtime.seccomp.Notify;
import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.ExecCpuAffinity;
import io.jrun.specs.runtime.IntelRdt;
import io.jrun.specs.runtime.Namespace;
import io.jrun.specs.runtime.NamespaceType;
import io.jrun.specs.runtime.Process;
import io.jrun.specs.runtime.Seccomp;
import io.jrun.specs.runtime.Status;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// A further process in a running container. The client joins the pid namespace for its children,
/// so the new process is its child; all other namespaces are joined by that process itself.
final class Execution {
  private final Containers containers;
  private final ClientProcess client;

  Execution(Containers containers, ClientProcess client) {
    this.containers = containers;
    this.client = client;
  }

  private byte @Nullable [] seccomp(Config config, Process process) {
    Seccomp profile = config.linux().seccomp();
    if (profile == null) return null;
    byte[] seccomp = containers.seccomp.compile(profile);
    UnderFilter.checkProgram(process, seccomp);
    return seccomp;
  }

  private int seccompFlags(Config config) {
    Seccomp seccomp = config.linux().seccomp();
    return seccomp == null ? 0 : containers.seccomp.flags(seccomp);
  }

  /// Runs it, and nobody here watches it then.
  void supervise(
      StoredState state, Config config, Cgroup cgroup, Process process, Consumer<Supervised> born) {
    byte[] seccomp = seccomp(config, process);
    int seccompFlags = seccompFlags(config);
    StdioOwner stdio = new StdioOwner(process.user().uid());
    Child.Birth birth = birth(state, config, cgroup, process, stdio);
    OwnedDescriptor master = null;
    Child child = null;
    try {
      SeccompListener listener = new SeccompListener(client.helper, config, state);
      Entered entered =
          enter(birth, config, process, cgroup, stdio, seccomp, seccompFlags, 0, listener);
      master = entered.master();
      child = birth.await();
      int pid = child.pid();
      byte[] filter =
          listener.load(child.helper(), process, seccomp, seccompFlags, Status.RUNNING, pid);
      born.accept(new Supervised(pid, HostProcess.of(containers.kernel, pid).startTime(), master));
      Batch last = Program.last(entered.program(), process, entered.env(), filter, seccompFlags, 0);
      Program.awaitStart(child.helper().sendToEnd(last), process.args().getFirst());
    } catch (RuntimeException e) {
      abandon(birth, child, null, new byte[0], e);
      throw e;
    } finally {
      if (master != null) master.close();
      birth.helper().close();
    }
  }

  int run(ExecOptions options, StoredState state, Config config, Cgroup cgroup, Process process) {
    byte[] seccomp = seccomp(config, process);
    int seccompFlags = seccompFlags(config);
    if (process.terminal() && options.detach() && options.consoleSocket() == null) {
      throw new ContainerException(
          "cannot allocate tty if jrun will detach without setting console socket");
    }
    if (options.consoleSocket() != null && !(process.terminal() && options.detach())) {
      throw new ContainerException(
          "cannot use console socket if jrun will not detach or allocate tty");
    }
    client.checkDescriptors(options.preserveFds());
    if (!options.cgroups().isEmpty())
      cgroup =
          containers.cgroups.open(
              SubCgroups.of(cgroup.paths(), containers.cgroups.hierarchies(), options.cgroups()));
    StdioOwner stdio = new StdioOwner(process.user().uid());
    Child.Birth birth = birth(state, config, cgroup, process, stdio);
    OwnedDescriptor master = null;
    Foreground foreground = null;
    byte[] termios = new byte[0];
    Child child = null;
    PidFile pidFile = new PidFile(client, options.pidFile());
    try {
      SeccompListener listener = new SeccompListener(client.helper, config, state);
      Entered entered =
          enter(
              birth,
              config,
              process,
              cgroup,
              stdio,
              seccomp,
              seccompFlags,
              options.preserveFds(),
              listener);
      master = entered.master();
      child = birth.await();
      IntelRdt rdt = config.linux().intelRdt();
      if (rdt != null) Resctrl.find(containers.kernel).group(rdt, state.id()).add(child.pid());
      client.log.step("joined the container as pid ", child.pid() + ", found " + entered.program());
      pidFile.write(child.pid());
      Reply held = options.detach() ? null : Foreground.hold(client.helper);
      byte[] filter =
          listener.load(
              child.helper(), process, seccomp, seccompFlags, Status.RUNNING, child.pid());
      if (options.pidfdSocket() != null)
        Pidfd.send(client.helper, options.pidfdSocket(), Pidfd.EXEC, child.pid());
      if (!options.detach()) {
        if (master != null) termios = Console.raw(containers.kernel, client.helper, master);
        foreground = Foreground.begin(containers, client.helper, child.pid(), master, termios);
      } else if (master != null) {
        Console.send(
            client.helper, java.util.Objects.requireNonNull(options.consoleSocket()), master);
      }
      Batch last =
          Program.last(
              entered.program(),
              process,
              entered.env(),
              filter,
              seccompFlags,
              options.preserveFds());
      if (held != null) held.await();
      Program.awaitStart(child.helper().sendToEnd(last), process.args().getFirst());
      return foreground == null ? 0 : foreground.await();
    } catch (RuntimeException failure) {
      RuntimeException e = explained(unborn(failure, cgroup), birth);
      abandon(birth, child, foreground, termios, e);
      pidFile.remove(e);
      throw e;
    } finally {
      if (master != null) master.close();
      birth.helper().close();
    }
  }

  /// In runc's words too, where it is the cgroup of v2 in which it would have been born.
  private static RuntimeException unborn(RuntimeException failure, Cgroup cgroup) {
    boolean isCgroup =
        failure instanceof KernelException e
            && e.call() instanceof FileCall.Openat open
            && open.path().equals(cgroup.birthplace());
    return isCgroup
        ? new ContainerException("error adding pid of the new process to cgroups", failure)
        : failure;
  }

  /// In runc's words, where it is the cgroup that it could not join.
  private static RuntimeException explained(RuntimeException failure, Child.Birth birth) {
    RuntimeException e = Cgroup.explained(failure);
    return e == failure
        ? failure
        : new ContainerException("error adding pid " + birth.await().pid() + " to cgroups", e);
  }

  private void abandon(
      Child.Birth birth,
      @Nullable Child child,
      @Nullable Foreground foreground,
      byte[] termios,
      RuntimeException cause) {
    birth.helper().close();
    try {
      Child born = child == null ? birth.await() : child;
      // by pidfd would need the client: it has not reaped its child, so the pid is still the
      // child's
      containers.kernel.call(new SignalCall.Kill(born.pid(), SignalCall.SIGKILL));
      if (foreground != null) foreground.await();
      else {
        Console.restore(client.helper, termios);
        reap(born.pid());
      }
    } catch (KernelException e) {
      // the client could not watch it
      if (e != cause) cause.addSuppressed(e);
      if (foreground != null && child != null) reap(child.pid());
    } catch (RuntimeException e) {
      if (e != cause) cause.addSuppressed(e);
    }
  }

  private void reap(int pid) {
    Batch batch = new Batch();
    batch.add(new ProcessCall.Wait4(pid, 0), Errno.ECHILD);
    client.helper.run(batch);
  }

  /// Clones the process, in the container's cgroup of v2 and as a child of the client, which has
  /// joined the pid namespace for its children.
  private Child.Birth birth(
      StoredState state, Config config, Cgroup cgroup, Process process, StdioOwner stdio) {
    Batch batch = new Batch();
    if (process.user().uid() != 0) stdio.ask(batch);
    if (hasUserNamespace(config)) {
      stdio.see(client.helper.run(batch));
      return Child.Birth.of(
          Middle.exec(containers, client, config, state.initPid(), process, cgroup));
    }
    // opened before the namespaces change: the pid is the caller's view of init
    Descriptor pidfd = batch.add(new SignalCall.PidfdOpen(state.initPid())).descriptor();
    batch.add(new DescriptorCall.Dup3(pidfd, Slots.INIT, FileCall.O_CLOEXEC));
    batch.add(new FileCall.Close(pidfd));
    if (config.linux().namespace(NamespaceType.MOUNT) == null) addRoot(batch, state.initPid());
    Descriptor init = Slots.descriptor(Slots.INIT);
    if (config.linux().namespace(NamespaceType.PID) != null)
      batch.add(new NamespaceCall.Setns(init, NamespaceCall.CLONE_NEWPID));
    Child.Birth birth =
        Child.begin(
            containers.kernel,
            client.helper,
            batch,
            0,
            cgroup.birthplace(),
            after -> after.attempt(new FileCall.Close(init)));
    if (process.user().uid() == 0) return birth;
    Child child;
    try {
      child = birth.await();
    } catch (RuntimeException e) {
      throw unborn(e, cgroup);
    }
    stdio.see(child.before());
    return Child.Birth.of(child);
  }

  /// The root of a container that has only changed its root (chroot(2)), kept for the child.
  static void addRoot(Batch batch, int initPid) {
    int flags = FileCall.O_PATH | FileCall.O_DIRECTORY | FileCall.O_CLOEXEC;
    String path = "/proc/" + initPid + "/root";
    Descriptor root =
        batch.add(new FileCall.Openat(Descriptor.CWD, path, flags, 0, false)).descriptor();
    batch.add(new DescriptorCall.Dup3(root, Slots.ROOT, FileCall.O_CLOEXEC));
    batch.add(new FileCall.Close(root));
  }

  private static boolean hasUserNamespace(Config config) {
    return config.linux().namespace(NamespaceType.USER) != null;
  }

  /// What the child's first batch returned. Where there is no child nobody would answer it, so the
  /// parent is asked first.
  private static Results first(Child.Birth birth, Batch batch) {
    Reply reply = birth.helper().send(batch);
    birth.await();
    return reply.await();
  }

  /// @param master of the terminal, where there is one
  private record Entered(String program, List<String> env, @Nullable OwnedDescriptor master) {}

  /// Joins the container and takes the process's identity.
  private Entered enter(
      Child.Birth birth,
      Config config,
      Process process,
      Cgroup cgroup,
      StdioOwner stdio,
      byte @Nullable [] seccomp,
      int seccompFlags,
      int preservedFds,
      SeccompListener listener) {
    Batch batch = new Batch();
    boolean listens = Notify.hasListener(seccompFlags) && !process.noNewPrivileges();
    boolean joined = hasUserNamespace(config);
    if (!joined) Child.addForgetCgroup(batch, cgroup.birthplace());
    batch.add(new PseudoCall.ResetSignals());
    batch.add(
        new CredentialCall.Prctl(CredentialCall.PR_SET_PDEATHSIG, SignalCall.SIGKILL, 0, 0, 0));
    if (!joined) {
      containers.exe.addTo(batch);
      IdentityPlan.oomScore(batch, process);
      if (process.execCpuAffinity() != null)
        SchedulingPlan.affinity(batch, process.execCpuAffinity().initial());
      cgroup.joinV1(batch);
      SchedulingPlan.affinityInCgroup(batch, process.execCpuAffinity());
    }
    batch.add(new CredentialCall.Setsid());
    if (!joined) {
      long flags = 0;
      for (Namespace namespace : config.linux().namespaces()) {
        if (namespace.type() != NamespaceType.PID) flags |= NamespacePlan.flag(namespace.type());
      }
      Descriptor init = Slots.descriptor(Slots.INIT);
      batch.add(new NamespaceCall.Setns(init, flags));
      batch.add(new FileCall.Close(init));
    }
    if (config.linux().namespace(NamespaceType.MOUNT) == null) {
      Descriptor root = Slots.descriptor(Slots.ROOT);
      batch.add(new ProcessCall.Fchdir(root));
      batch.add(new FileCall.Close(root));
      MovedRoot.enter(batch);
    }
    Pending<byte[]> passwd = Program.askPasswd(batch);
    OwnedDescriptor master = null;
    if (process.terminal()) {
      int path = FileCall.O_PATH | FileCall.O_DIRECTORY | FileCall.O_CLOEXEC;
      Pending<Descriptor> root =
          batch.add(new FileCall.Openat(Descriptor.CWD, "/", path, 0, false));
      Results inside = first(birth, batch);
      byte[] users = Program.passwd(birth.helper(), inside, passwd);
      Console.Pair pair = Console.open(birth.helper(), inside.of(root), process.consoleSize());
      master = pair.master();
      try {
        Batch rest = new Batch();
        Console.attach(rest, pair.terminal(), process.user().uid(), process.user().gid());
        rest.add(new FileCall.Close(inside.of(root)));
        Program.Search search =
            identity(rest, config, process, seccomp, seccompFlags, preservedFds);
        Results done = birth.helper().run(rest);
        if (listens) listener.send(done, Status.RUNNING, birth.await().pid());
        String program = search.program(done);
        return new Entered(program, Program.environment(process, users, 0), master);
      } catch (RuntimeException e) {
        master.close();
        throw e;
      }
    }
    stdio.addTo(batch);
    Program.Search search = identity(batch, config, process, seccomp, seccompFlags, preservedFds);
    Results entered = first(birth, batch);
    if (listens) listener.send(entered, Status.RUNNING, birth.await().pid());
    byte[] users = Program.passwd(birth.helper(), entered, passwd);
    return new Entered(search.program(entered), Program.environment(process, users, 0), null);
  }

  /// The program is looked for with the rights that it has.
  private Program.Search identity(
      Batch batch,
      Config config,
      Process process,
      byte @Nullable [] seccomp,
      int seccompFlags,
      int preservedFds) {
    batch.add(new PseudoCall.CloseFrom(3 + preservedFds));
    ExecCpuAffinity affinity = process.execCpuAffinity();
    if (affinity != null) SchedulingPlan.affinity(batch, affinity.finalCpus());
    SchedulingPlan.add(batch, process, config.linux());
    SecurityLabels.addTo(batch, process);
    Pending<Nothing> entered = Program.enter(batch, process);
    IdentityPlan.add(batch, process, seccomp, seccompFlags, null, containers.isUnprivileged());
    Program.Search search = Program.search(batch, process, entered, seccomp);
    UnderFilter.check(batch, process, seccomp);
    return search;
  }
}

package io.jrun.runtime.container;

import io.jrun.cni.container.Networks;
import io.jrun.image.bundle.RootMount;
import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperGoneException;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.Reply;
import io.jrun.kernel.Results;
import io.jrun.kernel.Undoing;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.kernel.call.PseudoCall;
import io.jrun.runtime.cgroup.Cgroup;
import io.jrun.runtime.cgroup.Hierarchies;
import io.jrun.runtime.cli.CreateOptions;
import io.jrun.runtime.mount.MountWays;
import io.jrun.runtime.mount.MovedRoot;
import io.jrun.runtime.process.SchedulingPlan;
import io.jrun.runtime.resctrl.Resctrl;
import io.jrun.runtime.resctrl.ResctrlGroup;
import io.jrun.runtime.seccomp.Notify;
import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.Hooks;
import io.jrun.specs.runtime.IntelRdt;
import io.jrun.specs.runtime.NamespaceType;
import io.jrun.specs.runtime.Process;
import io.jrun.specs.runtime.Status;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Makes a container up to the moment before its program starts: directory, state, cgroup, process,
/// in this order, so that whatever was begun can be found and undone.
///
/// Nothing waits that need not: init performs its first batch while the engine makes the cgroup,
/// and finds the next ones in its socket. Only a hook, a terminal or a bind mount makes the engine
/// look before it goes on.
final class Creation implements AutoCloseable {
  private final Containers containers;
  private final ClientProcess client;
  private final Store store;
  private final CreateOptions options;
  private final Role role;
  private final Bundle.Source source;
  private final PidFile pidFile;
  private final Wiring wiring;
  private final Preparation asked;
  private final MountTrees trees = new MountTrees();

  private @Nullable Claim claim;
  private StoredState state;
  private @Nullable NewCgroup cgroup;
  private @Nullable HostFiles hosts;
  private @Nullable InitBirth birth;
  private @Nullable OwnedDescriptor master;

  /// Null until the first of them could run: then those after the end run too, whatever fails.
  private @Nullable HookRunner begunHooks;

  /// What becomes of the client: it leaves, or leaves while who directs it takes the terminal, or
  /// it watches the container, and then reaps what the container leaves behind or not.
  enum Role {
    LEAVES,
    LEAVES_TERMINAL,
    WATCHES,
    WATCHES_AND_REAPS
  }

  /// What `start` and `run` need of a container that is made.
  record Made(
      StoredState state,
      Config config,
      Cgroup cgroup,
      Child init,
      @Nullable OwnedDescriptor master,
      Networks.@Nullable Known networks,
      HookRunner hooks,
      String program,
      List<String> env,
      byte @Nullable [] seccomp,
      int seccompFlags) {}

  @SuppressWarnings("NullAway.Init") // the state is set by the steps of create, in order
  Creation(
      Containers containers,
      ClientProcess client,
      Store store,
      CreateOptions options,
      Role role,
      Bundle.Source source) {
    this.containers = containers;
    this.client = client;
    this.store = store;
    this.options = options;
    this.role = role;
    this.source = source;
    this.pidFile = new PidFile(client, options.pidFile());
    this.wiring = new Wiring(containers, client, store, options.id());
    this.asked = new Preparation(containers, client, store, options, role, source, wiring);
  }

  /// Makes the container; on failure, undoes what was made.
  Made create() {
    ContainerId.check(options.id());
    String root = store.root().toString();
    List<String> unfinished =
        List.of("jrun", "--root", root, "delete", "--unfinished", options.id());
    Bundle.Asked reading = source.ask(client, new PseudoCall.OnEof(unfinished, 1));
    try {
      wiring.expect();
      claim = store.create(options.id()); // while the client reads
    } catch (RuntimeException e) {
      reading.drop();
      throw e;
    }
    try (asked) {
      try {
        NotifySocket.makeDirectory(containers.kernel, client, store, options.id());
        Bundle found = reading.await(containers.configs, options);
        state =
            asked.check(NotifySocket.added(found, containers.configs, client, store, options.id()));
        Made made = make();
        asked.checkSandbox();
        return made;
      } catch (RuntimeException failure) {
        RuntimeException e = explained(failure);
        undo(e);
        throw e;
      }
    }
  }

  /// What is to be told. An init that ended without a word may have had too little memory, in
  /// runc's words.
  private RuntimeException explained(RuntimeException failure) {
    if (!(failure instanceof HelperGoneException)
        || cgroup == null
        || cgroup.cgroup().oomKills() == 0) return Cgroup.explained(failure);
    return new ContainerException("container init was OOM-killed (memory limit too low?)", failure);
  }

  private Made make() {
    Bundle bundle = asked.bundle();
    Config config = bundle.config();
    NewCgroup cgroup = new NewCgroup(containers, client, options.global(), options.id(), bundle);
    state = state.withCgroups(cgroup.cgroup().paths(), cgroup.cgroup().scope());
    IntelRdt rdt = config.linux().intelRdt();
    ResctrlGroup group = null;
    if (rdt != null) {
      group = Resctrl.find(containers.kernel).group(rdt, options.id());
      state = state.withResctrl(group.ownDirectories());
    }
    boolean bindsDevices = containers.isInUserNamespace();
    if (HostRootMount.isNeeded(config, bindsDevices)) beginWithRootMount();
    else store.begin(claim(), state);
    wiring.written(attached -> {
      if (hosts != null) hosts.write(attached);
    });
    if (group != null) group.make();
    this.cgroup = cgroup;
    boolean isWired = Networking.isWanted(config);
    client.log.step("took the id in ", store.directory(options.id()));

    CreateOptions.ImageBundle image = options.image();
    RootMount root = image == null ? null : image.made().root();
    InitPlan plan = new InitPlan(config, bundle.process(), state, containers.exe, root);
    boolean middle = plan.namespaces().needsMiddle();
    MountSources sources = new MountSources(config, plan, store.root(), state.rootfs());
    StdioOwner stdio = new StdioOwner(bundle.process().user().uid());
    if (asked.namesHosts())
      hosts = new HostFiles(containers.kernel, claim(), config, source.names());
    InitBirth birth = beginBirth(plan, sources, stdio);
    List<Boolean> directories = birth.directories();
    HelperKernel helper = birth.helper();
    if (IdMappedMounts.any(config))
      IdMappedMounts.prepare(
          containers, client, config, state.rootfs(), birth.await().pid(), trees);
    asked.openSandbox(trees);
    sources.open(client.helper, trees, !containers.isUnprivileged());
    if (!plan.isSeenByInitOnly() && !source.pauses())
      trees.find(MountWays.toFind(containers.kernel, state.rootfs(), config.mounts()));
    Batch one = new Batch();
    if (!middle) Child.addForgetCgroup(one, cgroup.birthplace());
    Reply begun =
        helper.send(plan.beforeCgroup(one, directories, helper, trees, wiring.namespace()));
    client.log.step("sent init to its namespaces and file systems", "");

    Batch two = new Batch();
    if (!middle) {
      cgroup.makeRest(() -> birth.await().pid());
      cgroup.cgroup().joinV1(two);
      SchedulingPlan.resetAffinity(two);
    }
    // where it was done without
    state = state.withCgroups(cgroup.cgroup().paths(), cgroup.cgroup().scope());
    Map<String, String> shown = cgroup.shown();
    Hierarchies hierarchies = containers.cgroups.hierarchies();
    Reply mounted =
        helper.send(
            plan.inCgroup(two, directories, helper, trees, shown, hierarchies, bindsDevices));
    client.log.step("made the cgroups ", cgroup.cgroup().paths());
    source.complete();

    asked.kept(); // while init is being born
    int pid = birth.await().pid();
    wiring.born(pid);
    if (!config.linux().netDevices().isEmpty()) {
      begun.await();
      NetDevices.move(containers.kernel, client.helper, helper, pid, config.linux().netDevices());
    }
    client.log.step("init is born: pid ", pid);
    if (group != null) group.add(pid);
    HookRunner hooks = hooks();
    Descriptor terminal = null;
    boolean hasHooks = !config.hooks().equals(Hooks.NONE);
    // what hooks see, and settings of interfaces, need the networks; else they are attached while
    // init does the rest
    boolean first = hasHooks || !config.linux().sysctl().isEmpty();
    if (isWired && first) wire(begun, mounted);
    if (bundle.process().terminal() || hasHooks) {
      begun.await();
      mounted.await();
      terminal = terminal(plan);
    }
    if (hasHooks) hooks = createHooks();
    boolean isLast = isWired && !first;
    if (isLast) wiring.enter(pid);
    return finish(plan, stdio, terminal, hooks, isLast ? () -> wire(begun, mounted) : () -> {});
  }

  private void beginWithRootMount() {
    try (Claim _ = HostRootMount.turn(claim())) {
      HostRootMount mount = HostRootMount.open(client.helper, store, state.rootfs());
      state = state.withRootMounts(mount.ids());
      store.begin(claim(), state);
      mount.attach(client.helper);
    }
  }

  private InitBirth beginBirth(InitPlan plan, MountSources sources, StdioOwner stdio) {
    InitBirth begun =
        new InitBirth(
            containers,
            client,
            plan.namespaces(),
            Objects.requireNonNull(cgroup),
            sources,
            stdio,
            role == Role.WATCHES_AND_REAPS);
    birth = begun;
    List<String> undoing = source.undoing(store.root().toString(), options.id());
    boolean middle = plan.namespaces().needsMiddle();
    if (!middle) begun.begin(undoing);
    if (hosts != null) hosts.write(List.of()); // before init is told to bind them
    if (middle) begun.throughMiddle(undoing, asked.bundle().config());
    return begun;
  }

  private @Nullable Descriptor terminal(InitPlan plan) {
    Process process = asked.bundle().process();
    if (!process.terminal()) return null;
    Console.Pair pair = Console.open(init().helper(), InitPlan.ROOT, process.consoleSize());
    master = pair.master();
    Batch batch = new Batch();
    plan.addConsole(batch, pair.terminal());
    init().helper().run(batch);
    return pair.terminal();
  }

  /// While init mounts what it needs; where that fails, it is what is told.
  private void wire(Reply begun, Reply mounted) {
    try {
      List<Networks.Attached> attached =
          wiring.finish(init().pid(), begun::await); // in which init goes there
      state = state.withAddresses(HostNames.addresses(attached));
      client.log.step("attached the networks of ", options.id());
    } catch (RuntimeException e) {
      try {
        begun.await();
        mounted.await();
      } catch (RuntimeException first) {
        first.addSuppressed(e);
        throw first;
      }
      throw e;
    }
  }

  /// The container is complete before they run: whoever finds it knows of those after the end.
  private HookRunner createHooks() {
    complete();
    HookRunner runner = hooks();
    begunHooks = runner;
    runner.creating(init().pid());
    // they begin in the root, as runc's; the specification says nothing of it
    if (!asked.bundle().config().hooks().createContainer().isEmpty())
      init().helper().call(new ProcessCall.Fchdir(InitPlan.ROOT));
    runner.createContainer(init().helper());
    return runner;
  }

  private HookRunner hooks() {
    return new HookRunner(containers.kernel, client, asked.bundle().config(), state);
  }

  private void complete() {
    state = state.withInit(init().pid(), startTime());
    store.complete(claim(), asked.kept(), state);
  }

  private long startTime() {
    long time = HostProcess.of(containers.kernel, init().pid()).startTime();
    if (time == 0) throw new ContainerException("init ended while the container was made");
    return time;
  }

  /// The last part of init's work, while the engine writes down that there is a container.
  ///
  /// @param meanwhile what else is done beside it
  private Made finish(
      InitPlan plan,
      StdioOwner stdio,
      @Nullable Descriptor terminal,
      HookRunner hooks,
      Runnable meanwhile) {
    Bundle bundle = asked.bundle();
    byte @Nullable [] seccomp = asked.seccomp();
    int seccompFlags = asked.seccompFlags();
    boolean ownMounts = bundle.config().linux().namespace(NamespaceType.MOUNT) != null;
    if (options.noPivot() && ownMounts)
      MovedRoot.move(init().helper(), InitPlan.ROOT, bundle.rootfs());
    Batch batch = new Batch();
    InitPlan.Looks looks =
        plan.addEntry(
            batch,
            options.noPivot(),
            stdio,
            terminal,
            seccomp,
            seccompFlags,
            options.noNewKeyring() ? null : "_ses." + options.id(),
            containers.isUnprivileged());
    UnderFilter.check(batch, bundle.process(), seccomp);
    Reply entered = init().helper().send(batch);
    meanwhile.run();
    if (begunHooks == null) complete();
    Results results = entered.await();
    looks.check(results);
    if (Notify.hasListener(seccompFlags) && !bundle.process().noNewPrivileges())
      new SeccompListener(client.helper, bundle.config(), state)
          .send(results, Status.CREATING, init().pid());
    boolean pauses = source.pauses();
    String program = pauses ? "" : looks.program(results);
    List<String> env =
        pauses
            ? List.of()
            : looks.environment(init().helper(), results, bundle.process(), state.listenFds());
    client.log.step("entered the root, covered paths, took the identity, found ", program);
    if (options.pidfdSocket() != null)
      Pidfd.send(client.helper, options.pidfdSocket(), Pidfd.INIT, init().pid());
    if (options.consoleSocket() != null && master != null) {
      Console.send(client.helper, options.consoleSocket(), master);
      master.close();
      master = null;
    }
    pidFile.write(init().pid());
    return new Made(
        state,
        bundle.config(),
        Objects.requireNonNull(cgroup).cgroup(),
        init(),
        master,
        wiring.known(),
        hooks,
        program,
        env,
        seccomp,
        seccompFlags);
  }

  String id() {
    return options.id();
  }

  Claim claim() {
    return Objects.requireNonNull(claim);
  }

  private Child init() {
    return Objects.requireNonNull(birth).await();
  }

  /// Undoes what create began, in reverse. Where that fails the state is kept, so that `delete
  /// --force` can do the rest; and where hooks are owed that only a client can run.
  void undo(RuntimeException cause) {
    OwnedDescriptor terminal = master;
    InitBirth begun = birth;
    Child child = begun == null ? null : begun.born();
    pidFile.remove(cause);
    int before = cause.getSuppressed().length;
    // the client may be on its way into init's namespace, which is there only as long as init
    wiring.abandon(cause);
    if (terminal != null) Undoing.suppressing(cause, terminal::close);
    if (begun != null && child != null) Undoing.suppressing(cause, () -> begun.end(child));
    wiring.undo(cause);
    if (cgroup != null) cgroup.undo(cause);
    if (state != null)
      Undoing.suppressing(cause, () -> Resctrl.remove(containers.kernel, state.resctrl()));
    HookRunner hooks = begunHooks;
    if (hooks != null && hooks.hasPoststop() && client.isGone()) return;
    Undoing.suppressing(cause, () -> giveBack(cause.getSuppressed().length == before));
    if (hooks != null) Undoing.suppressing(cause, hooks::poststop);
  }

  /// @param isUndone whether all else is; where it is not, the state is kept
  private void giveBack(boolean isUndone) {
    try (Claim _ = state == null ? null : HostRootMount.turn(claim(), state)) {
      if (state != null) HostRootMount.unmount(client.helper, store, state);
      if (isUndone) store.delete(claim(), options.id());
    }
  }

  /// Lets others delete the container.
  void release() {
    wiring.release();
    claim().unlock();
  }

  /// Locks it again; false where another command has deleted the container meanwhile.
  boolean claimed() {
    return claim().relock();
  }

  @Override
  public void close() {
    trees.close();
    wiring.close();
    if (hosts != null) hosts.close();
    if (claim != null) claim.close();
  }
}

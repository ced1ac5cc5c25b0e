package io.jrun.runtime.container;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperGoneException;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Reply;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.CredentialCall;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.kernel.call.PseudoCall;
import io.jrun.kernel.call.SocketCall;
import io.jrun.kernel.call.Stat;
import io.jrun.runtime.cgroup.Cgroup;
import io.jrun.runtime.cgroup.CgroupException;
import io.jrun.runtime.cgroup.CgroupMaking;
import io.jrun.runtime.cgroup.Hierarchies;
import io.jrun.runtime.cli.CreateOptions;
import io.jrun.runtime.mount.MovedRoot;
import io.jrun.runtime.process.SecurityLabels;
import io.jrun.runtime.resctrl.Resctrl;
import io.jrun.runtime.resctrl.ResctrlGroup;
import io.jrun.runtime.seccomp.Notify;
import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.ConfigValidator;
import io.jrun.specs.runtime.Hooks;
import io.jrun.specs.runtime.IntelRdt;
import io.jrun.specs.runtime.Mount;
import io.jrun.specs.runtime.NamespaceType;
import io.jrun.specs.runtime.Status;
import java.time.Instant;
import java.util.ArrayList;
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
  private static final int SIGKILL = 9;

  private final Containers containers;
  private final ClientProcess client;
  private final Store store;
  private final CreateOptions options;
  private final Role role;

  private Bundle bundle;
  private StoredState state;
  private @Nullable Claim claim;
  private @Nullable CgroupMaking making;
  private @Nullable Cgroup cgroup;
  private @Nullable IdMappedMounts idMapped;
  private StdioOwner stdio;
  private boolean cgroupMade;
  private boolean isWired;
  private Child.@Nullable Birth birth;
  private @Nullable Child init;
  private @Nullable OwnedDescriptor master;
  private byte @Nullable [] seccomp;
  private int seccompFlags;

  /// What becomes of the client: it leaves, or it watches the container, and then reaps what the
  /// container leaves behind or not.
  enum Role {
    LEAVES,
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
      HookRunner hooks,
      String program,
      List<String> env,
      byte @Nullable [] seccomp,
      int seccompFlags) {}

  @SuppressWarnings("NullAway.Init") // the fields are set by the steps of create, in order
  Creation(
      Containers containers, ClientProcess client, Store store, CreateOptions options, Role role) {
    this.containers = containers;
    this.client = client;
    this.store = store;
    this.options = options;
    this.role = role;
  }

  /// Makes it; what fails is undone.
  Made create() {
    ContainerId.check(options.id());
    Bundle.Asked asked = Bundle.ask(client, options.bundle());
    try {
      claim = store.create(options.id()); // while the client reads
    } catch (RuntimeException e) {
      asked.drop();
      throw e;
    }
    try {
      NotifySocket.makeDirectory(containers.kernel, client, store, options.id());
      prepare(asked.await(containers.configs, options, store));
      return make();
    } catch (RuntimeException e) {
      undo(e);
      throw e;
    }
  }

  /// Checks everything that can be refused before anything but the directory is made.
  private void prepare(Bundle read) {
    bundle = read;
    Config config = bundle.config();
    String mountLabel = config.linux().mountLabel();
    SecurityLabels.check(containers.kernel, bundle.process(), mountLabel);
    if (containers.uid() != 0 && config.linux().namespace(NamespaceType.USER) == null)
      throw new ContainerException("rootless container requires user namespaces");
    Networking.check(config);
    client.log.step("read and checked ", bundle.path() + "/config.json");
    boolean foreground = role != Role.LEAVES;
    boolean terminal = bundle.process().terminal();
    if (options.consoleSocket() == null && terminal && !foreground) {
      throw new ContainerException(
          "cannot allocate tty if jrun will detach without setting console socket");
    }
    if (options.consoleSocket() != null && (!terminal || foreground)) {
      throw new ContainerException(
          "cannot use console socket if jrun will not detach or allocate tty");
    }
    client.warn(ConfigValidator.warnings(config));
    if (config.linux().seccomp() != null) {
      seccomp = containers.seccomp.compile(config.linux().seccomp());
      seccompFlags = containers.seccomp.flags(config.linux().seccomp());
    }
    int listenFds = client.listenFds();
    client.checkDescriptors(options.preserveFds());
    state =
        new StoredState(
            options.id(),
            bundle.path(),
            bundle.rootfs(),
            Instant.now(),
            0,
            0,
            Map.of(),
            options.preserveFds() + listenFds,
            listenFds);
  }

  private Made make() {
    Config config = bundle.config();
    String cgroupsPath = config.linux().cgroupsPath();
    CgroupMaking making =
        containers.cgroups.plan(
            cgroupsPath == null ? "" : cgroupsPath,
            options.id(),
            bundle.ownCgroups(),
            config.linux().resources(),
            !Rootless.is(options.global(), containers.isUnprivileged()));
    cgroup = making.cgroup();
    state = state.withCgroups(cgroup.paths());
    IntelRdt rdt = config.linux().intelRdt();
    ResctrlGroup group = null;
    if (rdt != null) {
      group = Resctrl.find(containers.kernel).group(rdt, options.id());
      state = state.withResctrl(group.ownDirectories());
    }
    store.begin(claim(), state);
    if (group != null) group.make();
    this.making = making;
    client.log.step("took the id in ", store.directory(options.id()));

    InitPlan plan = new InitPlan(config, bundle.process(), state, containers.exe);
    boolean middle = plan.namespaces().needsMiddle();
    List<Pending<Stat>> sources = new ArrayList<>();
    stdio = new StdioOwner(bundle.process().user().uid());
    List<Boolean> directories = List.of();
    if (middle) {
      directories = throughMiddle(plan, sources);
    } else {
      makeBirthplace();
      birth = birth(plan, sources);
      if (!sources.isEmpty()) {
        init = birth.await();
        directories = directories(sources, init.before());
      }
    }
    HelperKernel helper = init == null ? Objects.requireNonNull(birth).helper() : init.helper();
    if (IdMappedMounts.any(config))
      idMapped = IdMappedMounts.prepare(containers, client, config, init().pid());
    Batch first = new Batch();
    if (!middle) Child.addForgetCgroup(first, cgroup().birthplace());
    Reply begun = helper.send(plan.beforeCgroup(first, directories, helper, idMapped));
    client.log.step("sent init to its namespaces and file systems", "");

    Batch second = new Batch();
    if (!middle) {
      makeRest();
      cgroup().joinV1(second);
    }
    Map<String, String> shown = cgroup().paths();
    if (shown.isEmpty()) shown = containers.cgroups.current(bundle.ownCgroups()); // as runc
    Hierarchies hierarchies = containers.cgroups.hierarchies();
    boolean bindsDevices = containers.isInUserNamespace();
    Reply mounted =
        helper.send(
            plan.inCgroup(second, directories, helper, idMapped, shown, hierarchies, bindsDevices));
    client.log.step("made the cgroups ", cgroup().paths());

    if (init == null) init = Objects.requireNonNull(birth).await();
    if (!middle) stdio.see(init.before());
    if (!config.linux().netDevices().isEmpty()) {
      begun.await();
      NetDevices.move(client.helper, helper, init.pid(), config.linux().netDevices());
    }
    client.log.step("init is born: pid ", init.pid());
    if (group != null) group.add(init.pid());
    HookRunner hooks = hooks();
    Descriptor terminal = null;
    boolean wired = Networking.isWanted(config);
    if (wired || bundle.process().terminal() || !config.hooks().equals(Hooks.NONE)) {
      begun.await();
      mounted.await();
      if (wired) wire();
      terminal = terminal(plan);
      hooks = createHooks();
    }
    return finish(plan, terminal, hooks);
  }

  private void makeBirthplace() {
    try {
      Objects.requireNonNull(making).makeBirthplace();
    } catch (CgroupException e) {
      doWithoutCgroup(e);
    }
  }

  private void makeRest() {
    CgroupMaking begun = making;
    if (begun == null) return;
    try {
      begun.makeRest();
      cgroupMade = true;
      if (containers.cgroups.hierarchies().unified() && containers.uid() == 0)
        CgroupOwner.of(bundle.config()).ifPresent(uid -> begun.cgroup().giveTo((int) (long) uid));
    } catch (CgroupException e) {
      doWithoutCgroup(e);
    }
  }

  /// Goes on without a cgroup, where `--rootless` allows it.
  private void doWithoutCgroup(CgroupException failure) {
    Rootless.allow(
        options.global(),
        containers.isUnprivileged(),
        failure,
        bundle.config().linux().resources());
    Objects.requireNonNull(making).undo(failure);
    making = null;
    cgroupMade = false;
    cgroup = containers.cgroups.open(Map.of());
    state = state.withCgroups(Map.of());
  }

  private Cgroup cgroup() {
    return Objects.requireNonNull(cgroup);
  }

  /// Clones init by way of another process, which joins the whole cgroup with the caller's rights:
  /// init has none over it.
  private List<Boolean> throughMiddle(InitPlan plan, List<Pending<Stat>> sources) {
    makeBirthplace();
    makeRest();
    Batch batch = new Batch();
    addPreparation(batch, plan, sources);
    if (role == Role.WATCHES_AND_REAPS) addReaping(batch);
    Results looked = client.helper.run(batch);
    stdio.see(looked);
    Config config = bundle.config();
    try {
      init = Middle.init(containers, client, plan.namespaces(), config, cgroup());
    } catch (KernelException e) {
      if (cgroup().paths().isEmpty()) throw e;
      // it could be made, and not joined
      doWithoutCgroup(new CgroupException("cannot join the container's cgroup", e));
      init = Middle.init(containers, client, plan.namespaces(), config, cgroup());
    }
    return directories(sources, looked);
  }

  private static void addReaping(Batch batch) {
    batch.add(new CredentialCall.Prctl(CredentialCall.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
  }

  /// What the client notes and looks at before the clone.
  private void addPreparation(Batch batch, InitPlan plan, List<Pending<Stat>> sources) {
    batch.add(
        new PseudoCall.OnEof(
            List.of("jrun", "--root", store.root().toString(), "delete", "--force", options.id()),
            1));
    for (Mount mount : plan.bindMounts()) {
      String source = mount.source() == null ? "" : mount.source();
      sources.add(batch.attempt(new FileCall.Statx(Descriptor.CWD, source, 0)));
    }
    stdio.ask(batch);
  }

  /// Clones init, in its cgroup of v2.
  private Child.Birth birth(InitPlan plan, List<Pending<Stat>> sources) {
    Batch batch = new Batch();
    addPreparation(batch, plan, sources);
    plan.namespaces().addParentJoins(batch);
    long flags = plan.namespaces().cloneFlags();
    return Child.begin(
        containers.kernel,
        client.helper,
        batch,
        flags,
        cgroup().birthplace(),
        after -> {
          if (role == Role.WATCHES_AND_REAPS) addReaping(after);
        });
  }

  private static List<Boolean> directories(List<Pending<Stat>> sources, Results looked) {
    return sources.stream().map(s -> !looked.succeeded(s) || looked.of(s).isDirectory()).toList();
  }

  private @Nullable Descriptor terminal(InitPlan plan) {
    if (!bundle.process().terminal()) return null;
    Console.Pair pair =
        Console.open(init().helper(), InitPlan.ROOT, bundle.process().consoleSize());
    master = pair.master();
    Batch batch = new Batch();
    plan.addConsole(batch, pair.terminal());
    init().helper().run(batch);
    return pair.terminal();
  }

  /// Before the hooks, which may look at the network.
  private void wire() {
    isWired = true;
    networking().attach(bundle.config(), init().pid());
    client.log.step("attached the networks of ", options.id());
  }

  private Networking networking() {
    return new Networking(containers, client, store, options.id());
  }

  private HookRunner createHooks() {
    state = state.withInit(init().pid(), startTime());
    HookRunner runner = hooks();
    Hooks hooks = bundle.config().hooks();
    int pid = init().pid();
    runner.run("prestart", hooks.prestart(), client.helper, Status.CREATING, pid);
    runner.run("createRuntime", hooks.createRuntime(), client.helper, Status.CREATING, pid);
    runner.run("createContainer", hooks.createContainer(), init().helper(), Status.CREATING, pid);
    return runner;
  }

  private HookRunner hooks() {
    Config config = bundle.config();
    return new HookRunner(containers.kernel, config.ociVersion(), state, config.annotations());
  }

  private long startTime() {
    long time = HostProcess.of(containers.kernel, init().pid()).startTime();
    if (time == 0) throw new ContainerException("init ended while the container was made");
    return time;
  }

  /// The last part of init's work, while the engine writes down that there is a container.
  private Made finish(InitPlan plan, @Nullable Descriptor terminal, HookRunner hooks) {
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
    Reply entered = init().helper().send(batch);
    if (state.initPid() == 0) state = state.withInit(init().pid(), startTime());
    store.complete(claim(), bundle.bytes(), state);
    Results results = entered.await();
    looks.check(results);
    if (Notify.hasListener(seccompFlags) && !bundle.process().noNewPrivileges())
      new SeccompListener(client.helper, bundle.config(), state)
          .send(results, Status.CREATING, init().pid());
    String program = looks.program(results);
    List<String> env =
        looks.environment(init().helper(), results, bundle.process(), state.listenFds());
    client.log.step("entered the root, covered paths, took the identity, found ", program);
    if (options.pidFile() != null)
      client.replace(options.pidFile(), Integer.toString(init().pid()));
    if (options.pidfdSocket() != null)
      Pidfd.send(client.helper, options.pidfdSocket(), Pidfd.INIT, init().pid());
    if (options.consoleSocket() != null && master != null) {
      Console.send(client.helper, options.consoleSocket(), master);
      master.close();
      master = null;
    }
    return new Made(
        state,
        bundle.config(),
        cgroup(),
        init(),
        master,
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
    return Objects.requireNonNull(init);
  }

  /// Leaves a created container: init listens for `start`, free of engine and client.
  void park(Made made) {
    Batch batch = new Batch();
    batch.add(new CredentialCall.Prctl(CredentialCall.PR_SET_PDEATHSIG, 0, 0, 0, 0));
    try (OwnedDescriptor listener = listen(store.initSocket(options.id()).toString())) {
      batch.add(new PseudoCall.ListenForStart(batch.pass(listener)));
      made.init().helper().run(batch);
    }
    made.init().close();
  }

  private OwnedDescriptor listen(String path) {
    OwnedDescriptor socket =
        OwnedDescriptor.open(
            containers.kernel,
            new SocketCall.Socket(
                SocketCall.AF_UNIX, SocketCall.SOCK_STREAM | SocketCall.SOCK_CLOEXEC, 0, false));
    try {
      SocketPath.use(
          containers.kernel, path, address -> new SocketCall.Bind(socket.descriptor(), address));
      containers.kernel.call(new SocketCall.Listen(socket.descriptor(), 8));
      return socket;
    } catch (RuntimeException e) {
      socket.close();
      throw e;
    }
  }

  /// Undoes what create began, in reverse. Where that fails the state is kept, so that `delete
  /// --force` can do the rest.
  void undo(RuntimeException cause) {
    OwnedDescriptor terminal = master;
    Child child = init == null ? born() : init;
    CgroupMaking begun = making;
    int before = cause.getSuppressed().length;
    if (terminal != null) suppressing(cause, terminal::close);
    if (child != null) suppressing(cause, () -> end(child));
    if (isWired) suppressing(cause, networking()::detach);
    if (begun != null && cgroupMade) suppressing(cause, () -> end(begun.cgroup()));
    else if (begun != null) begun.undo(cause);
    if (state != null) suppressing(cause, () -> Resctrl.remove(containers.kernel, state.resctrl()));
    if (cause.getSuppressed().length == before)
      suppressing(cause, () -> store.delete(claim(), options.id()));
  }

  /// A child that had not been waited for; null where there is none, or it ends with its client.
  private @Nullable Child born() {
    try {
      return birth == null ? null : birth.await();
    } catch (KernelException | HelperGoneException e) {
      return null;
    }
  }

  private static void suppressing(RuntimeException cause, Runnable step) {
    try {
      step.run();
    } catch (RuntimeException e) {
      cause.addSuppressed(e);
    }
  }

  private void end(Child child) {
    child.close();
    HostProcess.of(containers.kernel, child.pid()).signal(SIGKILL);
    reap(child.pid());
  }

  private static void end(Cgroup made) {
    made.signal(SIGKILL);
    made.remove();
  }

  /// Lets others delete the container.
  void release() {
    claim().unlock();
  }

  /// Takes it back; false where another has deleted the container meanwhile.
  boolean claimed() {
    return claim().relock();
  }

  @Override
  public void close() {
    if (idMapped != null) idMapped.close();
    if (claim != null) claim.close();
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

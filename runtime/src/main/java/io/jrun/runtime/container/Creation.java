package io.jrun.runtime.container;

import io.jrun.cni.container.Networks;
import io.jrun.image.bundle.RootMount;
import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperGoneException;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Reply;
import io.jrun.kernel.Results;
import io.jrun.kernel.Undoing;
import io.jrun.kernel.call.CredentialCall;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.kernel.call.PseudoCall;
import io.jrun.kernel.call.SignalCall;
import io.jrun.kernel.call.Stat;
import io.jrun.runtime.cgroup.Cgroup;
import io.jrun.runtime.cgroup.CgroupException;
import io.jrun.runtime.cgroup.Hierarchies;
import io.jrun.runtime.cgroup.Making;
import io.jrun.runtime.cli.CreateOptions;
import io.jrun.runtime.mount.MountOptions;
import io.jrun.runtime.mount.MountWays;
import io.jrun.runtime.mount.MovedRoot;
import io.jrun.runtime.mount.RootPropagation;
import io.jrun.runtime.process.SchedulingPlan;
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
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;

/// Makes a container up to the moment before its program starts: directory, state, cgroup, process,
/// in this order, so that whatever was begun can be found and undone.
///
/// Nothing waits that need not: init performs its first batch while the engine makes the cgroup,
/// and finds the next ones in its socket. Only a hook, a terminal or a bind mount makes the engine
/// look before it goes on.
final class Creation implements AutoCloseable {
  private static final Results NOTHING_LOOKED_AT = new Results(List.of(), List.of(), List.of());

  private final Containers containers;
  private final ClientProcess client;
  private final Store store;
  private final CreateOptions options;
  private final Role role;

  private Bundle read;
  private Bundle bundle;
  private byte @Nullable [] kept;
  private StoredState state;
  private @Nullable Claim claim;
  private @Nullable Making making;
  private @Nullable Cgroup cgroup;
  private final MountTrees trees = new MountTrees();
  private final Bundle.Source source;
  private final PidFile pidFile;
  private @Nullable JoinedSandbox sandbox;
  private boolean namesHosts;
  private @Nullable NameFiles nameFiles;
  private @Nullable NewNetwork network;
  private boolean joinsNewNetwork;
  private @Nullable OwnedDescriptor bornNetwork;
  private StdioOwner stdio;
  private boolean cgroupMade;
  private Networks.@Nullable Attaching attaching;
  private boolean mayBeWired;
  private Networks.@Nullable Known wired;
  private Child.@Nullable Birth birth;
  private @Nullable Child init;
  private @Nullable OwnedDescriptor master;
  private byte @Nullable [] seccomp;
  private int seccompFlags;

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

  @SuppressWarnings("NullAway.Init") // the fields are set by the steps of create, in order
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
  }

  /// Makes the container; on failure, undoes what was made.
  Made create() {
    ContainerId.check(options.id());
    String root = store.root().toString();
    List<String> unfinished =
        List.of("jrun", "--root", root, "delete", "--unfinished", options.id());
    Bundle.Asked asked = source.ask(client, new PseudoCall.OnEof(unfinished, 1));
    try {
      if (containers.lastHadNewNetwork) network = NewNetwork.begin(containers.kernel);
      claim = store.create(options.id()); // while the client reads
    } catch (RuntimeException e) {
      asked.drop();
      throw e;
    }
    try {
      NotifySocket.makeDirectory(containers.kernel, client, store, options.id());
      Bundle found = asked.await(containers.configs, options);
      prepare(NotifySocket.added(found, containers.configs, client, store, options.id()));
      Made made = make();
      if (sandbox != null) sandbox.check();
      return made;
    } catch (RuntimeException failure) {
      RuntimeException e = explained(failure);
      undo(e);
      throw e;
    } finally {
      if (sandbox != null) sandbox.close();
    }
  }

  /// What is to be told. An init that ended without a word may have had too little memory, in
  /// runc's words.
  private RuntimeException explained(RuntimeException failure) {
    if (!(failure instanceof HelperGoneException) || cgroup == null || cgroup.oomKills() == 0)
      return Cgroup.explained(failure);
    return new ContainerException("container init was OOM-killed (memory limit too low?)", failure);
  }

  /// Checks everything that can be refused before anything but the directory is made.
  private void prepare(Bundle asked) {
    read = asked;
    bundle = asked;
    Config config = bundle.config();
    String mountLabel = config.linux().mountLabel();
    SecurityLabels.check(containers.kernel, bundle.process(), mountLabel);
    if (containers.uid() != 0 && config.linux().namespace(NamespaceType.USER) == null)
      throw new ContainerException("rootless container requires user namespaces");
    Networking.check(config);
    StoredState.Networks networks = Networking.asked(config, client);
    if (networks != null) // what it looks at needs the rest of this not
    attaching = new Networking(containers, client, store, options.id(), networks).begin(config);
    adjust();
    config = bundle.config();
    joinsNewNetwork = new NamespacePlan(config.linux()).joinsNewNetwork();
    containers.lastHadNewNetwork = joinsNewNetwork;
    if (joinsNewNetwork && network == null) network = NewNetwork.begin(containers.kernel);
    JoinedSysctls.check(client.helper, config.linux());
    client.log.step("read and checked ", bundle.path() + "/config.json");
    boolean foreground = role != Role.LEAVES && role != Role.LEAVES_TERMINAL;
    boolean terminal = bundle.process().terminal();
    if (options.consoleSocket() == null && terminal && role == Role.LEAVES) {
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
      client.log.debug("seccomp filter flags: " + seccompFlags);
    }
    CreateOptions.ImageBundle image = options.image();
    int listenFds = client.listenFds();
    client.checkDescriptors(options.preserveFds());
    state =
        StoredState.begun(
                new StoredState.Given(
                    options.id(),
                    bundle.path(),
                    bundle.rootfs(),
                    Instant.now(),
                    options.preserveFds() + listenFds,
                    listenFds,
                    source.pauses(),
                    source.pauses() ? null : JoinedSandbox.asked(config),
                    image == null ? "" : image.store(),
                    networks))
            .withAddresses(sandbox == null ? List.of() : sandbox.addresses());
  }

  /// What the config becomes in a sandbox, and with files of its own that name hosts.
  private void adjust() {
    if (source.pauses()) {
      namesHosts = true;
      return;
    }
    Config config = bundle.config();
    String name = JoinedSandbox.asked(config);
    if (name != null) {
      sandbox = JoinedSandbox.hold(containers, store, name);
      config = NameFiles.bound(sandbox.join(config), sandbox.directory(), sandbox.isNamed());
      bundle = bundle.with(Configs.checked(config));
    } else if (options.additions().namesHosts() || Networking.isWanted(config)) {
      namesHosts = true;
      config = NameFiles.bound(config, store.directory(options.id()), config.hostname() != null);
      bundle = bundle.with(config);
    }
  }

  private Made make() {
    Config config = bundle.config();
    Making making = CgroupRequest.plan(containers, client, options.global(), options.id(), bundle);
    cgroup = making.cgroup();
    state = state.withCgroups(cgroup.paths(), cgroup.scope());
    IntelRdt rdt = config.linux().intelRdt();
    ResctrlGroup group = null;
    if (rdt != null) {
      group = Resctrl.find(containers.kernel).group(rdt, options.id());
      state = state.withResctrl(group.ownDirectories());
    }
    boolean bindsDevices = containers.isInUserNamespace();
    HostRootMount hostRoot = null;
    if (HostRootMount.isNeeded(config, bindsDevices)) {
      hostRoot = HostRootMount.open(client.helper, state.rootfs());
      state = state.withRootMount(hostRoot.id());
    }
    store.begin(claim(), state);
    if (hostRoot != null) hostRoot.attach(client.helper);
    if (attaching != null) attaching.written(newNetwork().map(network -> network::await));
    if (group != null) group.make();
    this.making = making;
    boolean isWired = Networking.isWanted(config);
    client.log.step("took the id in ", store.directory(options.id()));

    CreateOptions.ImageBundle image = options.image();
    RootMount root = image == null ? null : image.made().root();
    InitPlan plan = new InitPlan(config, bundle.process(), state, containers.exe, root);
    boolean middle = plan.namespaces().needsMiddle();
    List<Pending<Stat>> sources = new ArrayList<>();
    stdio = new StdioOwner(bundle.process().user().uid());
    List<Boolean> directories = List.of();
    if (middle) {
      if (namesHosts) nameHosts(List.of());
      directories = throughMiddle(plan, sources);
    } else {
      makeBirthplace();
      birth = birth(plan, sources);
      if (namesHosts) nameHosts(List.of()); // before init is told to bind them
      if (!sources.isEmpty()) init = birth.await();
      directories = directories(plan, sources, init == null ? NOTHING_LOOKED_AT : init.before());
    }
    HelperKernel helper = init == null ? Objects.requireNonNull(birth).helper() : init.helper();
    if (IdMappedMounts.any(config))
      IdMappedMounts.prepare(containers, client, config, state.rootfs(), init().pid(), trees);
    openTrees(config, plan);
    if (!plan.isSeenByInitOnly() && !source.pauses())
      trees.find(MountWays.toFind(containers.kernel, state.rootfs(), config.mounts()));
    Batch one = new Batch();
    if (!middle) Child.addForgetCgroup(one, birthplace());
    Reply begun =
        helper.send(plan.beforeCgroup(one, directories, helper, trees, newNetwork().orElse(null)));
    client.log.step("sent init to its namespaces and file systems", "");

    Batch two = new Batch();
    if (!middle) {
      makeRest(this::bornPid);
      cgroup().joinV1(two);
      SchedulingPlan.resetAffinity(two);
    }
    Map<String, String> shown = cgroup().paths();
    if (shown.isEmpty()) shown = containers.cgroups.current(bundle.ownCgroups()); // as runc
    Hierarchies hierarchies = containers.cgroups.hierarchies();
    Reply mounted =
        helper.send(
            plan.inCgroup(two, directories, helper, trees, shown, hierarchies, bindsDevices));
    client.log.step("made the cgroups ", cgroup().paths());
    source.complete();

    kept(); // while init is being born
    if (init == null) init = Objects.requireNonNull(birth).await();
    if (!middle) stdio.see(init.before());
    if (!config.linux().netDevices().isEmpty()) {
      begun.await();
      NetDevices.move(
          containers.kernel, client.helper, helper, init.pid(), config.linux().netDevices());
    }
    client.log.step("init is born: pid ", init.pid());
    if (group != null) group.add(init.pid());
    HookRunner hooks = hooks();
    Descriptor terminal = null;
    // what hooks see, and settings of interfaces, need the networks; else they are attached while
    // init does the rest
    boolean first = !config.hooks().equals(Hooks.NONE) || !config.linux().sysctl().isEmpty();
    if (isWired && first) wire(begun, mounted);
    if (bundle.process().terminal() || !config.hooks().equals(Hooks.NONE)) {
      begun.await();
      mounted.await();
      terminal = terminal(plan);
      hooks = createHooks();
    }
    boolean isLast = isWired && !first;
    if (isLast && !joinsNewNetwork) attaching().enter(Networking.netns(init.pid()));
    return finish(plan, terminal, hooks, isLast ? () -> wire(begun, mounted) : () -> {});
  }

  /// What init could not open: it has no right to directories of the caller's where it is in
  /// another user namespace, nor to mounts of a sandbox.
  private void openTrees(Config config, InitPlan plan) {
    if (sandbox != null) sandbox.open(config, client, trees);
    // who may not clone a tree outside leaves it to init, which may inside
    boolean isOthers =
        config.linux().namespace(NamespaceType.USER) != null && !containers.isUnprivileged();
    List<MountTrees.Source> sources = new ArrayList<>();
    for (int i = 0; i < config.mounts().size(); i++) {
      Mount mount = config.mounts().get(i);
      boolean isOurs = isNameFile(mount);
      if (isOurs) trees.letMiss(i);
      MountOptions options = ConfigMounts.options(mount);
      if (!isOthers || !options.bind() || mount.source() == null || trees.has(i)) continue;
      if (ConfigMounts.ownSource(mount, state.rootfs()).isPresent()) continue;
      // what is in a mount namespace that is joined only init sees
      if (isOurs || plan.namespaces().makes(NamespaceType.MOUNT))
        sources.add(new MountTrees.Source(i, mount.source(), options.recursiveBind()));
    }
    trees.open(client.helper, sources, RootPropagation.of(config.linux().rootfsPropagation()));
  }

  /// @param attached the container's interfaces, as far as they are known
  private void nameHosts(List<Networks.Attached> attached) {
    Config config = bundle.config();
    if (nameFiles == null) nameFiles = new NameFiles(containers.kernel, claim());
    NameTexts given = source.names();
    if (given != null) nameFiles.write(given);
    else if (config.linux().namespace(NamespaceType.NETWORK) == null)
      nameFiles.copyHosts(config.hostname() == null ? "" : config.hostname());
    else if (attached.isEmpty() && Networking.isWanted(config)) nameFiles.make();
    else nameFiles.write(HostNames.of(config.hostname(), attached));
  }

  /// The text of the config that is kept: what was read, where nothing was added to it.
  private byte[] kept() {
    if (kept == null) {
      boolean isAsRead = bundle.config() == read.config();
      kept = isAsRead ? read.bytes() : containers.configs.text(bundle.config());
    }
    return kept;
  }

  private Optional<NewNetwork> newNetwork() {
    return joinsNewNetwork ? Optional.ofNullable(network) : Optional.empty();
  }

  private @Nullable String birthplace() {
    return making == null ? null : making.birthplace();
  }

  private int bornPid() {
    return Objects.requireNonNull(birth).await().pid();
  }

  private void makeBirthplace() {
    try {
      Objects.requireNonNull(making).makeBirthplace();
    } catch (CgroupException e) {
      doWithoutCgroup(e);
    }
  }

  private void makeRest(IntSupplier pid) {
    Making begun = making;
    if (begun == null) return;
    try {
      begun.makeRest(pid);
      cgroupMade = true;
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
    state = state.withCgroups(Map.of(), Map.of());
  }

  private Cgroup cgroup() {
    return Objects.requireNonNull(cgroup);
  }

  /// Clones init by way of another process, which joins the whole cgroup with the caller's rights:
  /// init has none over it.
  private List<Boolean> throughMiddle(InitPlan plan, List<Pending<Stat>> sources) {
    makeBirthplace();
    boolean takesIn = making != null && making.takesIn();
    if (!takesIn) makeRest(() -> 0);
    Batch batch = new Batch();
    addPreparation(batch, plan, sources);
    if (role == Role.WATCHES_AND_REAPS) addReaping(batch);
    Results looked = client.helper.run(batch);
    stdio.see(looked);
    Config config = bundle.config();
    try {
      init =
          Middle.init(
              containers,
              client,
              plan.namespaces(),
              config,
              cgroup(),
              birthplace(),
              pid -> {
                if (takesIn) makeRest(() -> pid);
              });
    } catch (CgroupException e) {
      if (cgroup().paths().isEmpty() || takesIn) throw e;
      doWithoutCgroup(e);
      init = Middle.init(containers, client, plan.namespaces(), config, cgroup(), null, pid -> {});
    }
    return directories(plan, sources, looked);
  }

  private static void addReaping(Batch batch) {
    batch.add(new CredentialCall.Prctl(CredentialCall.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
  }

  /// What the client notes and looks at before the clone.
  private void addPreparation(Batch batch, InitPlan plan, List<Pending<Stat>> sources) {
    batch.add(new PseudoCall.OnEof(source.undoing(store.root().toString(), options.id()), 1));
    for (Mount mount : plan.bindMounts()) {
      if (isNameFile(mount)) continue;
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
        birthplace(),
        after -> {
          if (role == Role.WATCHES_AND_REAPS) addReaping(after);
        });
  }

  /// For each bind mount whether its source is a directory.
  private List<Boolean> directories(InitPlan plan, List<Pending<Stat>> sources, Results looked) {
    List<Boolean> directories = new ArrayList<>();
    int asked = 0;
    for (Mount mount : plan.bindMounts()) {
      if (isNameFile(mount)) {
        directories.add(false);
      } else {
        Pending<Stat> stat = sources.get(asked++);
        directories.add(!looked.succeeded(stat) || looked.of(stat).isDirectory());
      }
    }
    return directories;
  }

  /// Known to be a file, so its kind need not be looked up.
  private boolean isNameFile(Mount mount) {
    return mount.source() != null && NameFiles.isOne(mount.source(), store.root());
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

  /// While init mounts what it needs; where that fails, it is what is told.
  private void wire(Reply begun, Reply mounted) {
    try {
      wire(begun);
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

  private void wire(Reply begun) {
    mayBeWired = true;
    String path = Networking.netns(init().pid());
    if (!joinsNewNetwork) bornNetwork = OwnedDescriptor.toRead(containers.kernel, Path.of(path));
    List<Networks.Attached> attached =
        attaching()
            .finish(
                path,
                () -> {
                  if (joinsNewNetwork) begun.await(); // in which init goes there
                });
    wired = Networks.Known.of(attached);
    state = state.withAddresses(HostNames.addresses(attached));
    if (namesHosts) nameHosts(attached);
    client.log.step("attached the networks of ", options.id());
  }

  private Networks.Attaching attaching() {
    return Objects.requireNonNull(attaching);
  }

  private Networking networking() {
    return new Networking(containers, client, store, state);
  }

  private HookRunner createHooks() {
    state = state.withInit(init().pid(), startTime());
    HookRunner runner = hooks();
    Hooks hooks = bundle.config().hooks();
    int pid = init().pid();
    runner.run("prestart", hooks.prestart(), client.helper, Status.CREATING, pid);
    runner.run("createRuntime", hooks.createRuntime(), client.helper, Status.CREATING, pid);
    // they begin in the root, as runc's; the specification says nothing of it
    if (!hooks.createContainer().isEmpty())
      init().helper().call(new ProcessCall.Fchdir(InitPlan.ROOT));
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
  ///
  /// @param meanwhile what else is done beside it
  private Made finish(
      InitPlan plan, @Nullable Descriptor terminal, HookRunner hooks, Runnable meanwhile) {
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
    meanwhile.run();
    if (state.initPid() == 0) state = state.withInit(init().pid(), startTime());
    store.complete(claim(), kept(), state);
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
        cgroup(),
        init(),
        master,
        wired,
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

  /// Undoes what create began, in reverse. Where that fails the state is kept, so that `delete
  /// --force` can do the rest.
  void undo(RuntimeException cause) {
    OwnedDescriptor terminal = master;
    Child child = init == null ? born() : init;
    Making begun = making;
    pidFile.remove(cause);
    int before = cause.getSuppressed().length;
    // the client may be on its way into init's namespace, which is there only as long as init
    if (attaching != null) Undoing.suppressing(cause, attaching::abandon);
    if (terminal != null) Undoing.suppressing(cause, terminal::close);
    if (child != null) Undoing.suppressing(cause, () -> end(child));
    if (state != null)
      Undoing.suppressing(cause, () -> HostRootMount.unmount(client.helper, state));
    if (mayBeWired) Undoing.suppressing(cause, networking()::detach);
    if (begun != null && cgroupMade) Undoing.suppressing(cause, () -> end(begun.cgroup()));
    else if (begun != null) begun.undo(cause);
    if (state != null)
      Undoing.suppressing(cause, () -> Resctrl.remove(containers.kernel, state.resctrl()));
    if (cause.getSuppressed().length == before)
      Undoing.suppressing(cause, () -> store.delete(claim(), options.id()));
  }

  /// A child that had not been waited for; null where there is none, or it ends with its client.
  private @Nullable Child born() {
    try {
      return birth == null ? null : birth.await();
    } catch (KernelException | HelperGoneException e) {
      return null;
    }
  }

  private void end(Child child) {
    child.close();
    HostProcess.of(containers.kernel, child.pid()).signal(SignalCall.SIGKILL);
    reap(child.pid());
  }

  private static void end(Cgroup made) {
    made.signal(SignalCall.SIGKILL);
    made.remove();
  }

  /// Lets others delete the container. Who has attached its network namespace keeps that to the
  /// end: the kernel's removal of it would hold up the links'.
  void release() {
    if (network != null && attaching == null) network.close();
    claim().unlock();
  }

  /// Locks it again; false where another command has deleted the container meanwhile.
  boolean claimed() {
    return claim().relock();
  }

  @Override
  public void close() {
    trees.close();
    if (network != null) network.close();
    Claim.close(bornNetwork);
    if (nameFiles != null) nameFiles.close();
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

package io.jrun.runtime.container;

import io.jrun.image.commands.ContainerBundles;
import io.jrun.image.commands.Images;
import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperGoneException;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.Reply;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.kernel.call.PseudoCall;
import io.jrun.kernel.call.SocketCall;
import io.jrun.kernel.call.Stat;
import io.jrun.runtime.cgroup.Cgroup;
import io.jrun.runtime.cgroup.CgroupException;
import io.jrun.runtime.cli.CheckpointOptions;
import io.jrun.runtime.cli.ContainerSummary;
import io.jrun.runtime.cli.CreateOptions;
import io.jrun.runtime.cli.ExecOptions;
import io.jrun.runtime.cli.GlobalOptions;
import io.jrun.runtime.cli.RestoreOptions;
import io.jrun.runtime.cli.RunOptions;
import io.jrun.runtime.cli.UpdateOptions;
import io.jrun.runtime.process.SecurityLabels;
import io.jrun.specs.json.Json;
import io.jrun.specs.json.Json.JsonObject;
import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.ConfigValidator;
import io.jrun.specs.runtime.ContainerStateView;
import io.jrun.specs.runtime.DefaultConfig;
import io.jrun.specs.runtime.Hooks;
import io.jrun.specs.runtime.IdMapping;
import io.jrun.specs.runtime.NamespaceType;
import io.jrun.specs.runtime.Process;
import io.jrun.specs.runtime.Resources;
import io.jrun.specs.runtime.Status;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// The operations of one client on containers.
public final class ContainerOperations {
  private static final int SIGKILL = 9;

  private static final Results NOTHING_BEFORE = new Results(List.of(), List.of(), List.of());

  private final Containers containers;
  private final ClientProcess client;

  ContainerOperations(Containers containers, ClientProcess client) {
    this.containers = containers;
    this.client = client;
  }

  private Store store(GlobalOptions global) {
    if (!global.root().isEmpty())
      return new Store(containers.kernel, Path.of(client.absolute(global.root())));
    Path own = Path.of("/run/jrun");
    if (containers.uid() == 0 && !isUsersRoot()) return new Store(containers.kernel, own);
    return new Store(
        containers.kernel,
        client
            .variable("XDG_RUNTIME_DIR")
            .filter(directory -> !directory.isEmpty())
            .map(directory -> Path.of(directory, "jrun"))
            .orElseGet(() ->
                containers.uid() == 0
                    ? own
                    : PrivateDirectory.in(containers.kernel, "/tmp", containers.uid())));
  }

  /// Whether this root is an ordinary user's, in a user namespace, whose /run is somebody else's;
  /// as runc tells it.
  private boolean isUsersRoot() {
    return containers.isInUserNamespace()
        && client.variable("USER").filter(name -> name.equals("root")).isEmpty();
  }

  public SandboxOperations sandboxes(GlobalOptions global) {
    return new SandboxOperations(containers, client, store(global));
  }

  /// Writes a new config.json. As with runc, rootless maps the caller's own ids, and the cgroup
  /// namespace is for machines that have cgroup v2 alone.
  public void spec(String bundle, boolean rootless) {
    String path = (bundle.isEmpty() ? "" : bundle + "/") + "config.json";
    Stat caller = client.helper.call(new FileCall.Statx(Descriptor.CWD, "/proc/self", 0));
    Config config =
        DefaultConfig.create(
            rootless, caller.uid(), caller.gid(), containers.cgroups.hierarchies().unified());
    try {
      client.create(path, config.toJson().toText("\t"));
    } catch (KernelException e) {
      if (!e.errno().equals(Errno.EEXIST)) throw e;
      throw new ContainerException("remove the old " + path + " first", e);
    }
  }

  public void create(CreateOptions given) {
    Store store = store(given.global());
    CreateOptions options = given.withPaths(client::absolute);
    try (Creation creation =
        new Creation(containers, client, store, options, Creation.Role.LEAVES, bundle(options))) {
      Creation.Made made = creation.create();
      try {
        creation.park(made);
        client.helper.call(
            new ProcessCall.Getpid()); // a client that vanished takes its container along
      } catch (RuntimeException e) {
        creation.undo(e);
        throw e;
      }
    }
  }

  /// Creates a container for somebody who outlives this client and takes its terminal.
  public Supervised supervise(CreateOptions options) {
    Store store = store(options.global());
    try (Creation creation =
        new Creation(
            containers, client, store, options, Creation.Role.LEAVES_TERMINAL, bundle(options))) {
      Creation.Made made = creation.create();
      try {
        creation.park(made);
        client.helper.call(new ProcessCall.Getpid());
        StoredState state = made.state();
        return new Supervised(state.initPid(), state.initStartTime(), made.master());
      } catch (RuntimeException e) {
        creation.undo(e);
        throw e;
      }
    }
  }

  /// Runs a process in a container for somebody who outlives this client.
  ///
  /// @param process its document, as JSON
  /// @param born is told of the process before it becomes its program; the terminal is closed after
  ///   that
  public void supervise(
      GlobalOptions global, String id, byte[] process, Consumer<Supervised> born) {
    Store store = store(global);
    Store.Stored stored = store.load(id);
    StoredState state = stored.state();
    Config config = containers.configs.of(stored);
    Process read = Process.read(process);
    SecurityLabels.check(containers.kernel, read, null);
    client.warn(ConfigValidator.warnings(read));
    new Execution(containers, client).supervise(state, config, cgroup(state), read, born);
  }

  /// A user namespace with these ids and nobody in it, to map mounts by; the descriptor is the
  /// client's.
  public Descriptor mappingNamespace(List<IdMapping> uids, List<IdMapping> gids) {
    return MappingNamespace.make(containers, client, uids, gids);
  }

  /// The container's cgroup.
  ///
  /// @throws ContainerException where there is no container
  public Cgroup cgroup(GlobalOptions global, String id) {
    return cgroup(store(global).load(id).state());
  }

  /// Likewise; empty where there is no such container.
  public Optional<Cgroup> findCgroup(GlobalOptions global, String id) {
    return store(global).find(id).map(stored -> cgroup(stored.state()));
  }

  /// The container's config as it was at create, with the changes since; empty where there is none.
  public Optional<Config> config(GlobalOptions global, String id) {
    return store(global).find(id).filter(s -> s.config() != null).map(containers.configs::of);
  }

  /// The container's status; empty where there is none.
  public Optional<Status> status(GlobalOptions global, String id) {
    Store store = store(global);
    return store.find(id).map(stored -> status(store, stored));
  }

  public int run(RunOptions given) {
    Store store = store(given.create().global());
    CreateOptions options = given.create().withPaths(client::absolute);
    try (Creation creation =
        new Creation(containers, client, store, options, role(given), bundle(options))) {
      return run(given, creation, store);
    }
  }

  private static Bundle.Source bundle(CreateOptions options) {
    return options.image() == null
        ? new Bundle.Directory(options.bundle())
        : new ImageBundleSource(options.image().made());
  }

  private static Creation.Role role(RunOptions given) {
    if (given.detach()) return Creation.Role.LEAVES;
    return given.noSubreaper() ? Creation.Role.WATCHES : Creation.Role.WATCHES_AND_REAPS;
  }

  private int run(RunOptions given, Creation creation, Store store) {
    Creation.Made made = creation.create();
    Process process = java.util.Objects.requireNonNull(made.config().process());
    Hooks hooks = made.config().hooks();
    boolean attached = !given.detach();
    byte[] termios = new byte[0];
    Foreground foreground = null;
    client.log.step("starting ", made.program());
    NotifySocket notify = null;
    try {
      notify = NotifySocket.bind(containers.kernel, client, store, creation.id());
      if (attached && made.master() != null) termios = Console.raw(client.helper);
      HelperKernel init = made.init().helper();
      int pid = made.state().initPid();
      made.hooks().run("startContainer", hooks.startContainer(), init, Status.CREATED, pid);
      Reply held = attached ? Foreground.hold(client.helper) : null;
      // from here on the client needs no command to run when the engine dies: it ends with the
      // status it saw
      if (given.keep()) client.helper.send(onEofOnly());
      byte[] filter =
          new SeccompListener(client.helper, made.config(), made.state())
              .load(init, process, made.seccomp(), made.seccompFlags(), Status.CREATED, pid);
      // the client runs poststart hooks, and tells that the container is ready, before it watches
      if (attached && hooks.poststart().isEmpty() && notify == null)
        foreground = watch(made, termios);
      Batch last =
          Program.last(
              made.program(),
              process,
              made.env(),
              filter,
              made.seccompFlags(),
              made.state().preservedFds());
      if (held != null) held.await();
      Program.awaitStart(init.sendToEnd(last), process.args().getFirst());
    } catch (RuntimeException e) {
      if (notify != null) notify.close();
      if (foreground != null) abandon(made, foreground, e);
      else Console.restore(client.helper, termios);
      creation.undo(e);
      throw e;
    }
    try {
      return goOn(given, creation, made, store, termios, foreground, notify);
    } catch (HelperGoneException e) {
      throw e; // a client that was killed leaves its running container
    } catch (RuntimeException e) {
      try {
        if (!given.keep() && creation.claimed())
          new Deletion(containers, client, store)
              .destroy(creation.claim(), made.state(), made.config(), made.cgroup());
      } catch (RuntimeException again) {
        e.addSuppressed(again);
      }
      throw e;
    }
  }

  /// What follows once the program runs: its status, or 0 when it is not watched.
  ///
  /// @param watching null where the client does not watch yet
  private int goOn(
      RunOptions given,
      Creation creation,
      Creation.Made made,
      Store store,
      byte[] termios,
      @Nullable Foreground watching,
      @Nullable NotifySocket notify) {
    made.init().close();
    store.started(creation.claim());
    creation.release();
    try {
      made.hooks()
          .run(
              "poststart",
              made.config().hooks().poststart(),
              client.helper,
              Status.RUNNING,
              made.state().initPid());
    } catch (ContainerException e) {
      Console.restore(client.helper, termios);
      if (made.master() != null) made.master().close();
      end(made.state(), e);
      throw e;
    }
    if (notify != null) {
      try (notify) {
        notify.await(init(made.state()));
      }
    }
    if (given.detach()) return 0;
    if (!given.keep() && made.networks() != null && endsWithInit(made.config()))
      new Networking(containers, client, store, made.state())
          .detachAtEnd(made.networks(), made.state().initPid());
    int status;
    try {
      status = (watching == null ? watch(made, termios) : watching).await();
    } finally {
      if (made.master() != null) made.master().close();
    }
    client.log.step("ended with status ", status);
    // not where another command has deleted it, and perhaps made another of its name
    if (!given.keep() && creation.claimed())
      new Deletion(containers, client, store)
          .destroy(creation.claim(), made.state(), made.config(), made.cgroup(), made.networks());
    return status;
  }

  private static boolean endsWithInit(Config config) {
    return new NamespacePlan(config.linux()).makes(NamespaceType.PID);
  }

  private Foreground watch(Creation.Made made, byte[] termios) {
    return Foreground.begin(
        containers, client.helper, made.state().initPid(), made.master(), termios);
  }

  private static Batch onEofOnly() {
    Batch batch = new Batch();
    batch.add(new PseudoCall.OnEof(List.of(), 0));
    return batch;
  }

  /// Ends an init that did not become its program, so that the client stops watching it.
  private void abandon(Creation.Made made, Foreground foreground, RuntimeException cause) {
    try {
      init(made.state()).signal(SIGKILL);
      foreground.await();
    } catch (RuntimeException e) {
      cause.addSuppressed(e);
    }
  }

  /// Ends a container's init, whose parent the client is: until it waits, init is a zombie.
  private void end(StoredState state, RuntimeException cause) {
    try {
      init(state).signal(SIGKILL);
      client.helper.call(new ProcessCall.Wait4(state.initPid(), 0));
    } catch (RuntimeException e) {
      cause.addSuppressed(e);
    }
  }

  public void start(GlobalOptions global, String id) {
    Store store = store(global);
    ContainerId.check(id);
    try (OwnedDescriptor directory = store.open(id)) {
      start(store, directory, id);
    }
  }

  private void start(Store store, OwnedDescriptor directory, String id) {
    Store.Stored stored = store.load(id);
    StoredState state = stored.state();
    Status status = status(store, stored);
    if (status == Status.CREATING)
      throw new ContainerException("cannot start a container that is not made completely");
    Config config = containers.configs.of(stored);
    if (status == Status.STOPPED)
      throw new ContainerException("cannot start a container that has stopped");
    if (status == Status.PAUSED) // a frozen init would not answer
    throw new ContainerException("cannot start a container in the paused state");
    if (status != Status.CREATED)
      throw new ContainerException("cannot start an already running container");
    Process process = java.util.Objects.requireNonNull(config.process());
    OwnedDescriptor socket =
        OwnedDescriptor.open(
            containers.kernel,
            new SocketCall.Socket(
                SocketCall.AF_UNIX, SocketCall.SOCK_STREAM | SocketCall.SOCK_CLOEXEC, 0, false));
    try (Child init = new Child(client.helper.over(socket), state.initPid(), NOTHING_BEFORE);
        NotifySocket notify = NotifySocket.bind(containers.kernel, client, store, id)) {
      SocketPath.use(
          containers.kernel,
          store.initSocket(id).toString(),
          address -> new SocketCall.Connect(socket.descriptor(), address));
      HookRunner hooks =
          new HookRunner(containers.kernel, config.ociVersion(), state, config.annotations());
      hooks.run(
          "startContainer",
          config.hooks().startContainer(),
          init.helper(),
          Status.CREATED,
          state.initPid());
      Batch look = new Batch();
      var passwd = Program.askPasswd(look);
      Program.Search search = Program.search(look, process);
      Results looked = init.helper().run(look);
      String program = search.program(looked);
      List<String> env =
          Program.environment(
              process, Program.passwd(init.helper(), looked, passwd), state.listenFds());
      byte[] seccomp =
          config.linux().seccomp() == null
              ? null
              : containers.seccomp.compile(config.linux().seccomp());
      int flags =
          config.linux().seccomp() == null ? 0 : containers.seccomp.flags(config.linux().seccomp());
      seccomp =
          new SeccompListener(client.helper, config, state)
              .load(init.helper(), process, seccomp, flags, Status.CREATED, state.initPid());
      Program.start(
          init,
          Program.last(program, process, env, seccomp, flags, state.preservedFds()),
          process.args().getFirst());
      store.started(directory);
      client.log.step("started ", program);
      try {
        hooks.run(
            "poststart",
            config.hooks().poststart(),
            client.helper,
            Status.RUNNING,
            state.initPid());
      } catch (RuntimeException e) {
        init(state).signal(SIGKILL); // the specification wants the container stopped then
        throw e;
      }
      if (notify != null) notify.await(init(state));
    }
  }

  private HostProcess init(StoredState state) {
    return containers.init(state);
  }

  private Cgroup cgroup(StoredState state) {
    return containers.cgroup(state);
  }

  private Status status(Store store, Store.Stored stored) {
    return Statuses.of(containers, store, stored);
  }

  private ContainerStateView view(Store store, Store.Stored stored) {
    StoredState state = stored.state();
    Status status = status(store, stored);
    if (status == Status.CREATING) {
      return new ContainerStateView(
          Config.OCI_VERSION,
          state.id(),
          0,
          status,
          state.bundle(),
          state.rootfs(),
          state.created(),
          Map.of(),
          "",
          List.of());
    }
    Config config = containers.configs.of(stored);
    return new ContainerStateView(
        config.ociVersion(),
        state.id(),
        status == Status.STOPPED ? 0 : state.initPid(),
        status,
        state.bundle(),
        state.rootfs(),
        state.created(),
        config.annotations(),
        "",
        state.addresses());
  }

  public String state(GlobalOptions global, String id) {
    Store store = store(global);
    return view(store, store.load(id)).toJson().toText("  ");
  }

  public List<ContainerSummary> list(GlobalOptions global) {
    Store store = store(global);
    List<ContainerSummary> all = new ArrayList<>();
    for (String id : store.ids()) {
      var found = store.find(id);
      if (found.isEmpty() || found.get().state().pauses())
        continue; // the id is just taken, or just given back
      ContainerStateView view = view(store, found.get());
      all.add(
          new ContainerSummary(
              view.ociVersion(),
              view.id(),
              view.pid(),
              view.status().text(),
              view.bundle(),
              view.rootfs(),
              ContainerStateView.rfc3339(view.created()),
              view.annotations(),
              store.owner(view.id()),
              view.addresses()));
    }
    return all;
  }

  public void kill(GlobalOptions global, String id, int signal, boolean all) {
    Store store = store(global);
    Store.Stored stored = store.load(id);
    StoredState state = stored.state();
    if (all) {
      cgroup(state).signal(signal);
      return;
    }
    Status status = status(store, stored);
    if (status == Status.CREATING || status == Status.STOPPED || !init(state).signal(signal))
      throw new ContainerException("container not running");
    if (signal == SIGKILL && status == Status.PAUSED) cgroup(state).thaw();
  }

  /// @param unfinished only where nothing but the id was taken yet
  public void delete(GlobalOptions global, String id, boolean force, boolean unfinished) {
    Store store = store(global);
    ContainerId.check(id);
    Deletion deletion = new Deletion(containers, client, store);
    if (unfinished) deletion.deleteUnfinished(id);
    else deletion.delete(id, force);
  }

  private ImageStores imageStores() {
    return new ImageStores(containers, client);
  }

  /// The store of images in that directory; the client's own where it is empty.
  public Images images(String directory) {
    return imageStores().images(directory);
  }

  /// The bundles of containers that run an image.
  public ContainerBundles bundles(Images images) {
    return imageStores().bundles(images);
  }

  /// What a config says where neither an image nor the user does.
  public Config baseConfig() {
    return imageStores().baseConfig();
  }

  /// The same for a bundle whose files are all the client's own.
  public Config bundleConfig() {
    return imageStores().bundleConfig();
  }

  /// The capabilities that a container of an image can have.
  public List<String> capabilities() {
    return imageStores().capabilities();
  }

  /// The directory of the containers' state.
  public String stateRoot(GlobalOptions global) {
    return store(global).root().toString();
  }

  public List<Integer> pids(GlobalOptions global, String id) {
    return cgroup(store(global).load(id).state()).pids();
  }

  /// Changes limits, and the kept config with them, so that the next change knows of this one.
  public void update(UpdateOptions options) {
    Store store = store(options.global());
    Store.Stored stored = store.load(options.id());
    StoredState state = stored.state();
    Status status = status(store, stored);
    byte[] bytes = stored.config();
    if (status == Status.STOPPED || status == Status.CREATING || bytes == null)
      throw new ContainerException("container not running");
    JsonObject given =
        options.resourcesFile() == null
            ? options.changes()
            : Resources.read(client.read(options.resourcesFile())).toJson();
    JsonObject config = (JsonObject) Json.parse(bytes);
    JsonObject linux =
        config.member("linux") instanceof JsonObject object ? object : JsonObject.EMPTY;
    JsonObject before =
        linux.member("resources") instanceof JsonObject object ? object : JsonObject.EMPTY;
    ResourceUpdate update = ResourceUpdate.of(before, given);
    ConfigValidator.check(update.touched());
    cgroup(state).apply(update.touched());
    linux = linux.with("resources", update.all());
    if (options.l3CacheSchema() != null || options.memBwSchema() != null) {
      RdtUpdate changed = RdtUpdate.perform(containers.kernel, state, linux, options);
      state = changed.state();
      linux = changed.linux();
    }
    config = config.with("linux", linux);
    store.replaceConfig(options.id(), state, config.toText("").getBytes(StandardCharsets.UTF_8));
  }

  /// @param intervalMillis 0 for statistics once
  public void events(GlobalOptions global, String id, long intervalMillis, Consumer<String> out) {
    Store store = store(global);
    Store.Stored stored = store.load(id);
    StoredState state = stored.state();
    if (status(store, stored) == Status.STOPPED)
      throw new ContainerException("container with id " + id + " is not running");
    new Events(id, init(state), cgroup(state), out).tell(intervalMillis);
  }

  public void pause(GlobalOptions global, String id) {
    Store store = store(global);
    Store.Stored stored = store.load(id);
    StoredState state = stored.state();
    Status status = status(store, stored);
    if (status != Status.RUNNING && status != Status.CREATED)
      throw new ContainerException("container not running or created: " + status.text());
    cgroup(state).freeze();
  }

  public void resume(GlobalOptions global, String id) {
    Store store = store(global);
    Store.Stored stored = store.load(id);
    StoredState state = stored.state();
    if (status(store, stored) != Status.PAUSED)
      throw new ContainerException("container not paused");
    cgroup(state).thaw();
  }

  public void checkpoint(CheckpointOptions given) {
    checkpoint(given, CriuProgress.UNWATCHED);
  }

  /// Saves a container, and deletes it unless it is to be left running.
  public void checkpoint(CheckpointOptions given, CriuProgress progress) {
    warnOfRootlessCriu();
    Store store = store(given.global());
    Store.Stored stored = store.load(given.id());
    StoredState state = stored.state();
    Status status = status(store, stored);
    if (status != Status.RUNNING && status != Status.PAUSED)
      throw new ContainerException(
          "Container cannot be checkpointed in " + status.text() + " state");
    CheckpointOptions options = given.withPaths(client::absolute);
    Config config = containers.configs.of(stored);
    new Checkpoint(containers, client, state, config, cgroup(state), progress).perform(options);
    if (options.leaveRunning() || options.preDump()) return;
    try {
      delete(given.global(), given.id(), true, false);
    } catch (ContainerException | KernelException | CgroupException e) {
      client.log.warning("deleting the checkpointed container: " + e.getMessage());
    }
  }

  private void warnOfRootlessCriu() {
    if (containers.isUnprivileged())
      client.log.warning("checkpoint and restore are untested with rootless containers");
  }

  /// Restores a container for somebody who outlives this client and takes its terminal.
  ///
  /// @param options with absolute paths
  public void restore(RestoreOptions options, CriuProgress progress) {
    Store store = store(options.create().global());
    try (Restoration restoration = new Restoration(containers, client, store, options, progress)) {
      OwnedDescriptor master = restoration.perform().master();
      if (master != null) master.close();
    }
  }

  public int restore(RestoreOptions given) {
    warnOfRootlessCriu();
    Store store = store(given.create().global());
    RestoreOptions options = given.withPaths(client::absolute);
    try (Restoration restoration =
        new Restoration(containers, client, store, options, CriuProgress.UNWATCHED)) {
      Restoration.Restored restored = restoration.perform();
      if (options.detach()) return 0;
      OwnedDescriptor master = restored.master();
      byte[] termios = master == null ? new byte[0] : Console.raw(client.helper);
      restored.claim().unlock();
      Foreground.hold(client.helper);
      int status;
      try {
        status =
            Foreground.begin(containers, client.helper, restored.state().initPid(), master, termios)
                .await();
      } finally {
        if (master != null) master.close();
      }
      if (restored.claim().relock())
        new Deletion(containers, client, store)
            .destroy(restored.claim(), restored.state(), restored.config(), restored.cgroup());
      return status;
    }
  }

  public int exec(ExecOptions given) {
    Store store = store(given.global());
    Store.Stored stored = store.load(given.id());
    StoredState state = stored.state();
    Status status = status(store, stored);
    if (status == Status.CREATING)
      throw new ContainerException("cannot exec in a container that is not made completely");
    if (status == Status.STOPPED)
      throw new ContainerException("cannot exec in a stopped container");
    if (status == Status.PAUSED && !given.ignorePaused())
      throw new ContainerException(
          "cannot exec in a paused container (use --ignore-paused to override)");
    ExecOptions options = given.withPaths(client::absolute);
    Config config = containers.configs.of(stored);
    return new Execution(containers, client)
        .run(
            options,
            state,
            config,
            cgroup(state),
            ExecSpec.of(options, config, client, containers.kernel));
  }
}

package io.jrun.runtime.container;

import io.jrun.image.commands.ContainerBundles;
import io.jrun.image.commands.Images;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.Undoing;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.kernel.call.SignalCall;
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
import io.jrun.runtime.resctrl.Resctrl;
import io.jrun.specs.json.Json;
import io.jrun.specs.json.Json.JsonObject;
import io.jrun.specs.json.SpecException;
import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.ConfigValidator;
import io.jrun.specs.runtime.ContainerStateView;
import io.jrun.specs.runtime.DefaultConfig;
import io.jrun.specs.runtime.IdMapping;
import io.jrun.specs.runtime.NamespaceType;
import io.jrun.specs.runtime.Process;
import io.jrun.specs.runtime.Resources;
import io.jrun.specs.runtime.Rfc3339;
import io.jrun.specs.runtime.Status;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/// The operations of one client on containers.
public final class ContainerOperations {

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
        WaitingInit.park(containers, store, made);
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
        WaitingInit.park(containers, store, made);
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
    ConfigValidator.check(read);
    SecurityLabels.check(containers.kernel, read, null);
    client.warn(ConfigValidator.warnings(read));
    Process granted = GrantedCapabilities.of(containers, client, config, read);
    Cgroup cgroup = cgroup(state);
    if (cgroup.frozen()) throw new ContainerException("cannot exec in a paused container");
    new Execution(containers, client).supervise(state, config, cgroup, granted, born);
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
        new Creation(containers, client, store, options, Run.role(given), bundle(options))) {
      return new Run(containers, client, store, given, creation).run();
    }
  }

  private static Bundle.Source bundle(CreateOptions options) {
    return options.image() == null
        ? new Bundle.Directory(options.bundle())
        : new ImageBundleSource(options.image().made());
  }

  public void start(GlobalOptions global, String id) {
    Store store = store(global);
    ContainerId.check(id);
    try (OwnedDescriptor directory = store.open(id)) {
      new Start(containers, client, store).start(directory, id);
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

  public List<ContainerSummary> list(GlobalOptions global, boolean mayBeMissing) {
    Store store = store(global);
    if (!mayBeMissing && !global.root().isEmpty()) store.check();
    List<ContainerSummary> all = new ArrayList<>();
    for (String id : store.ids()) {
      try {
        summary(store, id).ifPresent(all::add);
      } catch (SpecException e) {
        client.log.warning(
            "container " + id + ": " + e.getMessage()); // as runc, which tells others
      }
    }
    return all;
  }

  /// Whether there is a container of that id; one that cannot be read is one.
  public boolean hasContainer(String stateRoot, String id) {
    try {
      return new Store(containers.kernel, Path.of(stateRoot)).find(id).isPresent();
    } catch (SpecException | KernelException e) {
      return true;
    }
  }

  /// Empty where the id is just taken, or just given back, and for a sandbox.
  private Optional<ContainerSummary> summary(Store store, String id) {
    Store.Stored stored = store.find(id).orElse(null);
    if (stored == null || stored.state().pauses()) return Optional.empty();
    ContainerStateView view = view(store, stored);
    return Optional.of(
        new ContainerSummary(
            view.ociVersion(),
            view.id(),
            view.pid(),
            view.status().text(),
            view.bundle(),
            view.rootfs(),
            Rfc3339.format(view.created()),
            view.annotations(),
            store.owner(view.id()),
            view.addresses()));
  }

  public void kill(GlobalOptions global, String id, int signal, boolean all) {
    Store store = store(global);
    Store.Stored stored = store.load(id);
    StoredState state = stored.state();
    // where no cgroup tells the others, init is all that is known
    Cgroup cgroup = cgroup(state);
    if (all && !cgroup.isNone()) {
      cgroup.signal(signal);
      return;
    }
    Status status = status(store, stored);
    if (status == Status.CREATING) throw new ContainerException("container not running");
    boolean hit = status != Status.STOPPED && init(state).signal(signal);
    // init's end is the end of all that are in a pid namespace of their own
    if (signal == SignalCall.SIGKILL
        && !cgroup.isNone()
        && !containers.configs.of(stored).linux().makes(NamespaceType.PID)) {
      hit |= !cgroup.pids().isEmpty();
      cgroup.signal(signal);
    }
    if (!hit) throw new ContainerException("container not running");
    if (signal == SignalCall.SIGKILL && status == Status.PAUSED) cgroup.thaw();
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
    Resctrl resctrl = RdtUpdate.find(containers.kernel, options);
    cgroup(state).apply(update.touched());
    linux = linux.with("resources", update.all());
    if (resctrl != null) {
      RdtUpdate changed = RdtUpdate.perform(resctrl, state, linux, options);
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
    boolean ends = !given.leaveRunning() && !given.preDump();
    if (ends && (state.pauses() || state.sandbox() != null))
      throw new ContainerException("what is in a sandbox cannot be restored, and is not saved");
    if (ends && !state.imageStore().isEmpty())
      throw new ContainerException(
          "the root file system of "
              + given.id()
              + " is in the image store and would go with the container, so nothing could be"
              + " restored: --leave-running saves its processes");
    CheckpointOptions options = given.withPaths(client::absolute);
    Config config = containers.configs.of(stored);
    Cgroup cgroup = cgroup(state);
    try {
      String program = options.criu().program();
      new Checkpoint(containers, client, state, config, cgroup, program, progress).perform(options);
    } catch (RuntimeException e) {
      // a CRIU that was killed leaves the container frozen
      if (status == Status.RUNNING)
        Undoing.suppressing(
            e,
            () -> {
              if (cgroup.frozen()) cgroup.thaw();
            });
      throw e;
    }
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
      byte[] termios =
          master == null ? new byte[0] : Console.raw(containers.kernel, client.helper, master);
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
    Process asked = ExecSpec.of(options, config, client, containers.kernel);
    Process granted = GrantedCapabilities.of(containers, client, config, asked);
    return new Execution(containers, client).run(options, state, config, cgroup(state), granted);
  }
}

package io.jrun.runtime.container;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperGoneException;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.kernel.call.PseudoCall;
import io.jrun.kernel.call.SocketCall;
import io.jrun.kernel.call.Stat;
import io.jrun.runtime.cgroup.Cgroup;
import io.jrun.runtime.cli.ContainerSummary;
import io.jrun.runtime.cli.CreateOptions;
import io.jrun.runtime.cli.ExecOptions;
import io.jrun.runtime.cli.GlobalOptions;
import io.jrun.runtime.cli.RunOptions;
import io.jrun.runtime.cli.UpdateOptions;
import io.jrun.specs.json.Json;
import io.jrun.specs.json.Json.JsonObject;
import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.ContainerStateView;
import io.jrun.specs.runtime.DefaultConfig;
import io.jrun.specs.runtime.Hooks;
import io.jrun.specs.runtime.Process;
import io.jrun.specs.runtime.Resources;
import io.jrun.specs.runtime.Status;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// The operations of one client on containers.
public final class ContainerOperations {
  private static final int SIGKILL = 9;

  /// What a helper that will become a container's process runs from.
  private static final String SEALED = "/memfd:jrun";

  private static final Results NOTHING_BEFORE = new Results(List.of(), List.of(), List.of());
  private static final long END_MILLIS = 10_000;

  private final Containers containers;
  private final ClientProcess client;

  ContainerOperations(Containers containers, ClientProcess client) {
    this.containers = containers;
    this.client = client;
  }

  private Store store(GlobalOptions global) {
    if (!global.root().isEmpty())
      return new Store(containers.kernel, Path.of(client.absolute(global.root())));
    if (containers.uid() == 0) return new Store(containers.kernel, Path.of("/run/jrun"));
    return new Store(
        containers.kernel,
        client
            .variable("XDG_RUNTIME_DIR")
            .map(directory -> Path.of(directory, "jrun"))
            .orElseGet(() -> PrivateDirectory.in(containers.kernel, "/tmp", containers.uid())));
  }

  /// Writes a new config.json. As with runc, rootless maps the caller's own ids, and the cgroup
  /// namespace is for machines that have cgroup v2 alone.
  public void spec(String bundle, boolean rootless) {
    String path = (bundle.isEmpty() ? "" : bundle + "/") + "config.json";
    Stat caller = client.helper.call(new FileCall.Statx(Descriptor.CWD, "/proc/self", 0));
    Config config =
        DefaultConfig.create(
            rootless, caller.uid(), caller.gid(), containers.cgroups.hierarchies().unified());
    Batch batch = new Batch();
    Descriptor file =
        batch
            .add(
                new FileCall.Openat(
                    Descriptor.CWD,
                    path,
                    FileCall.O_WRONLY | FileCall.O_CREAT | FileCall.O_EXCL | FileCall.O_CLOEXEC,
                    0666,
                    false))
            .descriptor();
    batch.add(
        new FileCall.Write(file, config.toJson().toText("\t").getBytes(StandardCharsets.UTF_8)));
    batch.add(new FileCall.Close(file));
    try {
      client.helper.run(batch);
    } catch (KernelException e) {
      if (!e.errno().equals(Errno.EEXIST)) throw e;
      throw new ContainerException("remove the old " + path + " first", e);
    }
  }

  public void create(CreateOptions given) {
    Store store = store(given.global());
    CreateOptions options = given.withPaths(client::absolute);
    try (Creation creation =
        new Creation(containers, client, store, options, Creation.Role.LEAVES)) {
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

  public int run(RunOptions given) {
    Store store = store(given.create().global());
    CreateOptions options = given.create().withPaths(client::absolute);
    try (Creation creation = new Creation(containers, client, store, options, role(given))) {
      return run(given, creation, store);
    }
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
    try {
      if (attached && made.master() != null) termios = Console.raw(client.helper);
      HelperKernel init = made.init().helper();
      int pid = made.state().initPid();
      made.hooks().run("startContainer", hooks.startContainer(), init, Status.CREATED, pid);
      // nothing is to be run when the engine dies then: the client just ends with what it saw
      if (given.keep()) client.helper.send(onEofOnly());
      byte[] filter =
          new SeccompListener(client.helper, made.config(), made.state())
              .load(init, process, made.seccomp(), made.seccompFlags(), Status.CREATED, pid);
      // the client runs poststart hooks before it can watch
      if (attached && hooks.poststart().isEmpty()) foreground = watch(made, termios);
      else if (attached) client.helper.call(new ProcessCall.Sigprocmask(ProcessCall.SIG_BLOCK, -1));
      Batch last =
          Program.last(
              made.program(),
              process,
              made.env(),
              filter,
              made.seccompFlags(),
              made.state().preservedFds());
      Program.awaitStart(init.sendToEnd(last), process.args().getFirst());
    } catch (RuntimeException e) {
      if (foreground != null) abandon(made, foreground, e);
      else Console.restore(client.helper, termios);
      creation.undo(e);
      throw e;
    }
    try {
      return goOn(given, creation, made, store, termios, foreground);
    } catch (HelperGoneException e) {
      throw e; // a client that was killed leaves its running container
    } catch (RuntimeException e) {
      try {
        if (!given.keep() && creation.claimed())
          destroy(store, creation.claim(), made.state(), made.config(), made.cgroup());
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
      @Nullable Foreground watching) {
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
    if (given.detach()) return 0;
    int status;
    try {
      status = (watching == null ? watch(made, termios) : watching).await();
    } finally {
      if (made.master() != null) made.master().close();
    }
    // not where another command has deleted it, and perhaps made another of its name
    if (!given.keep() && creation.claimed())
      destroy(store, creation.claim(), made.state(), made.config(), made.cgroup());
    return status;
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
    try (Child init = new Child(client.helper.over(socket), state.initPid(), NOTHING_BEFORE)) {
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
      store.started(id);
      client.log.step("started ", program);
      try {
        hooks.run(
            "poststart",
            config.hooks().poststart(),
            client.helper,
            Status.RUNNING,
            state.initPid());
      } catch (RuntimeException e) {
        init(state).signal(SIGKILL); // as the specification orders: the container is stopped then
        throw e;
      }
    }
  }

  private Networking networking(Store store, String id) {
    return new Networking(containers, client, store, id);
  }

  private HostProcess init(StoredState state) {
    return new HostProcess(containers.kernel, state.initPid(), state.initStartTime());
  }

  private Cgroup cgroup(StoredState state) {
    return containers.cgroups.open(state.cgroups(), state.scope());
  }

  private Status status(Store store, Store.Stored stored) {
    StoredState state = stored.state();
    if (state.initPid() == 0) return Status.CREATING;
    HostProcess init = init(state);
    if (!init.alive()) return Status.STOPPED;
    // only before the start is it asked what init runs: a program could name itself as it likes
    boolean waits = !stored.started() && isHelper(init);
    if (waits && !Files.exists(store.initSocket(state.id()))) return Status.CREATING;
    if (cgroup(state).frozen()) return Status.PAUSED;
    return waits ? Status.CREATED : Status.RUNNING;
  }

  private static boolean isHelper(HostProcess process) {
    String exe = process.exe();
    return exe.startsWith(SEALED) || exe.endsWith("/bin/jrun") || exe.equals(HostProcess.HIDDEN);
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
          "");
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
        "");
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
      if (found.isEmpty()) continue; // hardly begun, or just deleted
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
              store.owner(view.id())));
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

  public void delete(GlobalOptions global, String id, boolean force) {
    Store store = store(global);
    ContainerId.check(id);
    var claimed = store.claim(id, END_MILLIS);
    if (claimed.isEmpty()) {
      if (!force) throw new ContainerException("container does not exist");
      return;
    }
    try (Claim claim = claimed.get()) {
      delete(store, claim, id, force);
    }
  }

  private void delete(Store store, Claim claim, String id, boolean force) {
    var found = store.find(id);
    if (found.isEmpty()) {
      if (!force) throw new ContainerException("container does not exist");
      store.delete(claim, id);
      return;
    }
    Store.Stored stored = found.get();
    StoredState state = stored.state();
    Status status = status(store, stored);
    if (!force && status != Status.STOPPED && status != Status.CREATED) {
      throw new ContainerException(
          "cannot delete container " + id + " that is not stopped: " + status.text());
    }
    if (status == Status.CREATING) {
      destroyHalfMade(store, state);
      store.delete(claim, id);
    } else {
      destroy(store, claim, state, containers.configs.of(stored), cgroup(state));
    }
  }

  /// Ends what a crash of create left. Where its init is not in the cgroup, other processes that
  /// are may be somebody else's: that the cgroup was empty before had perhaps not been checked yet.
  private void destroyHalfMade(Store store, StoredState state) {
    networking(store, state.id()).detach();
    if (state.cgroups().isEmpty()) return;
    Cgroup cgroup = cgroup(state);
    List<Integer> pids = cgroup.pids();
    boolean isOurs =
        pids.stream().anyMatch(pid -> isHelper(HostProcess.of(containers.kernel, pid)));
    if (isOurs) cgroup.signal(SIGKILL);
    // nor is a scope of that name stopped that is somebody else's
    else if (!pids.isEmpty()) cgroup = containers.cgroups.open(state.cgroups());
    cgroup.remove();
  }

  /// Ends what is left and undoes what create made, in reverse; may be repeated.
  private void destroy(Store store, Claim claim, StoredState state, Config config, Cgroup cgroup) {
    HostProcess init = init(state);
    if (init.alive()) {
      init.signal(SIGKILL);
      cgroup.signal(SIGKILL);
      if (!init.awaitEnd(END_MILLIS))
        throw new ContainerException("init does not end: pid " + state.initPid());
    }
    if (config.linux().namespace(io.jrun.specs.runtime.NamespaceType.PID) == null)
      cgroup.signal(SIGKILL);
    if (Networking.isWanted(config)) networking(store, state.id()).detach();
    cgroup.remove();
    store.delete(claim, state.id());
    new HookRunner(containers.kernel, config.ociVersion(), state, config.annotations())
        .runAll(
            "poststop", config.hooks().poststop(), client.helper, Status.STOPPED, 0, client.log);
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
    cgroup(state).apply(update.touched());
    config = config.with("linux", linux.with("resources", update.all()));
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

package io.jrun.runtime.container;

import static io.jrun.kernel.call.MountCall.*;

import io.jrun.kernel.Batch;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.CredentialCall;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.NamespaceCall;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.kernel.call.PseudoCall;
import io.jrun.kernel.call.SocketCall;
import io.jrun.kernel.call.Stat;
import io.jrun.runtime.cgroup.Cgroup;
import io.jrun.runtime.cgroup.Hierarchy;
import io.jrun.runtime.cli.CreateOptions;
import io.jrun.runtime.mount.FileSystemPlan;
import io.jrun.runtime.mount.MountOptions;
import io.jrun.runtime.process.IdentityPlan;
import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.Linux;
import io.jrun.specs.runtime.Mount;
import io.jrun.specs.runtime.NamespaceType;
import io.jrun.specs.runtime.Process;
import io.jrun.specs.runtime.Status;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/// Makes a container up to the moment before its program starts: directory, cgroup, process, in
/// this order, so that whatever was begun can be found and undone.
final class Creation implements AutoCloseable {
  private static final int CHUNK = 12288;
  private static final int OWN_CGROUPS = 8192;
  private static final int SIGKILL = 9;

  private final Containers containers;
  private final ClientProcess client;
  private final Store store;
  private final CreateOptions options;
  private final boolean foreground;

  private byte[] configBytes = new byte[0];
  private Config config;
  private Process process;
  private StoredState state;
  private @Nullable Claim claim;
  private @Nullable Cgroup cgroup;
  private @Nullable Child init;
  private @Nullable OwnedDescriptor master;
  private HookRunner hooks;
  private String program = "";
  private List<String> env = List.of();
  private byte @Nullable [] seccomp;
  private int seccompFlags;

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
      Containers containers,
      ClientProcess client,
      Store store,
      CreateOptions options,
      boolean foreground) {
    this.containers = containers;
    this.client = client;
    this.store = store;
    this.options = options;
    this.foreground = foreground;
  }

  /// Makes it; what fails is undone.
  Made create() {
    ContainerId.check(options.id());
    String ownCgroups = readBundle();
    claim = store.create(options.id());
    try {
      // joining a cgroup waits for an RCU grace period, so it runs beside the mounts
      CompletableFuture<Integer> pid = new CompletableFuture<>();
      CompletableFuture<Cgroup> making =
          CompletableFuture.supplyAsync(() -> makeCgroup(ownCgroups, pid), containers.background);
      try {
        List<Boolean> sourceIsDirectory = birth();
        pid.complete(init().pid());
        buildFirst(making, sourceIsDirectory);
      } catch (RuntimeException e) {
        pid.complete(0);
        settle(making, e);
        throw e;
      }
      return finish();
    } catch (RuntimeException e) {
      undo(e);
      throw e;
    }
  }

  private void settle(CompletableFuture<Cgroup> making, RuntimeException cause) {
    try {
      cgroup = making.join();
    } catch (CompletionException e) {
      cgroup = null; // it was not made: nothing to undo, unless just that failed too
      Throwable failure = e.getCause();
      if (failure != null && failure != cause && failure.getSuppressed().length > 0)
        cause.addSuppressed(failure);
    }
  }

  /// Makes the cgroup, after it is written down where it will be, and puts init into it; a pid of 0
  /// says that there will be no init.
  private Cgroup makeCgroup(String ownCgroups, CompletableFuture<Integer> pid) {
    String given = config.linux().cgroupsPath();
    String path = given == null ? "" : given;
    store.begin(
        claim(), state.withCgroups(containers.cgroups.paths(path, options.id(), ownCgroups)));
    Cgroup made =
        containers.cgroups.create(path, options.id(), ownCgroups, config.linux().resources());
    try {
      if (pid.join() != 0) made.add(pid.join());
      return made;
    } catch (RuntimeException e) {
      suppressing(e, () -> made.remove());
      throw e;
    }
  }

  private Claim claim() {
    return java.util.Objects.requireNonNull(claim);
  }

  /// Reads config.json in the client, from where it stands; leaves the client in the bundle.
  private String readBundle() {
    Batch batch = new Batch();
    if (!options.bundle().isEmpty()) batch.add(new ProcessCall.Chdir(options.bundle()));
    Pending<String> bundle = batch.add(new ProcessCall.Getcwd());
    Pending<Descriptor> file =
        batch.add(
            new FileCall.Openat(
                Descriptor.CWD, "config.json", FileCall.O_RDONLY | FileCall.O_CLOEXEC, 0, false),
            Errno.ENOENT);
    Pending<byte[]> json = batch.add(new FileCall.Read(file.descriptor(), CHUNK));
    batch.add(new FileCall.Close(file.descriptor()));
    Pending<Descriptor> cgroups =
        batch.add(
            new FileCall.Openat(
                Descriptor.CWD,
                "/proc/self/cgroup",
                FileCall.O_RDONLY | FileCall.O_CLOEXEC,
                0,
                false));
    Pending<byte[]> own = batch.add(new FileCall.Read(cgroups.descriptor(), OWN_CGROUPS));
    batch.add(new FileCall.Close(cgroups.descriptor()));
    Results results = client.helper.run(batch);
    if (!results.succeeded(file)) {
      throw new ContainerException(
          "JSON specification file config.json not found in " + results.of(bundle));
    }
    byte[] bytes = results.of(json);
    if (bytes.length == CHUNK) bytes = client.read("config.json");
    configBytes = bytes;
    config = Config.readValid(bytes);
    Unsupported.check(config);
    if (config.process() == null)
      throw new ContainerException("config.json: /process: is required");
    process = config.process();
    String rootPath = java.util.Objects.requireNonNull(config.root()).path();
    String rootfs = rootPath.startsWith("/") ? rootPath : results.of(bundle) + "/" + rootPath;
    if (options.consoleSocket() == null && process.terminal() && !foreground) {
      throw new ContainerException(
          "cannot allocate tty if jrun will detach without setting console socket");
    }
    if (options.consoleSocket() != null && (!process.terminal() || foreground)) {
      throw new ContainerException(
          "cannot use console socket if jrun will not detach or allocate tty");
    }
    if (config.linux().seccomp() != null) {
      seccomp = containers.seccomp.compile(config.linux().seccomp());
      seccompFlags = containers.seccomp.flags(config.linux().seccomp());
    }
    int listenFds = client.listenFds();
    int preservedFds = options.preserveFds();
    client.checkDescriptors(preservedFds);
    state =
        new StoredState(
            options.id(),
            results.of(bundle),
            rootfs,
            Instant.now(),
            0,
            0,
            Map.of(),
            preservedFds + listenFds,
            listenFds);
    hooks = new HookRunner(containers.kernel, config.ociVersion(), state, config.annotations());
    return new String(results.of(own), StandardCharsets.UTF_8);
  }

  /// Clones init; says of each bind mount whether its source is a directory.
  private List<Boolean> birth() {
    NamespacePlan namespaces = new NamespacePlan(config.linux());
    Batch batch = new Batch();
    batch.add(
        new PseudoCall.OnEof(
            List.of("jrun", "--root", store.root().toString(), "delete", "--force", options.id()),
            1));
    List<Pending<Stat>> sources = new ArrayList<>();
    for (Mount mount : config.mounts()) {
      String source = mount.source() == null ? "" : mount.source();
      sources.add(batch.attempt(new FileCall.Statx(Descriptor.CWD, source, 0)));
    }
    namespaces.addParentJoins(batch);
    init = Child.clone(containers.kernel, client.helper, batch, namespaces.cloneFlags());
    Results looked = init.before();
    return sources.stream().map(s -> !looked.succeeded(s) || looked.of(s).isDirectory()).toList();
  }

  private Child init() {
    return java.util.Objects.requireNonNull(init);
  }

  private void buildFirst(CompletableFuture<Cgroup> making, List<Boolean> sourceIsDirectory) {
    Linux linux = config.linux();
    NamespacePlan namespaces = new NamespacePlan(linux);
    Batch batch = new Batch();
    batch.add(new PseudoCall.ResetSignals());
    batch.add(new CredentialCall.Prctl(CredentialCall.PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0));
    containers.exe.addTo(batch);
    IdentityPlan.oomScore(batch, process);
    batch.add(new CredentialCall.Setsid());
    batch.add(new CredentialCall.Umask(0));
    namespaces.addJoins(batch);
    if (config.hostname() != null && !config.hostname().isEmpty())
      batch.add(new NamespaceCall.Sethostname(config.hostname()));
    if (config.domainname() != null && !config.domainname().isEmpty())
      batch.add(new NamespaceCall.Setdomainname(config.domainname()));
    if (namespaces.makes(NamespaceType.NETWORK)) Loopback.addTo(batch);

    long propagation = propagation(linux.rootfsPropagation());
    Descriptor tree =
        FileSystemPlan.root(
            batch,
            state.rootfs(),
            (propagation & MS_PRIVATE) != 0 ? propagation : MS_SLAVE | MS_REC);
    Pending<?> treeCall =
        new Pending<>(
            ((Descriptor.ResultOf) tree).index(),
            batch.entries().get(((Descriptor.ResultOf) tree).index()).call());
    int next = 0;
    FileSystemPlan plan = new FileSystemPlan(batch, tree);
    for (;
        next < config.mounts().size() && !"cgroup".equals(config.mounts().get(next).type());
        next++) {
      plan.mount(config.mounts().get(next), sourceIsDirectory.get(next));
    }
    Results results = init().helper().run(batch);
    Descriptor root = (Descriptor) results.of(treeCall);

    cgroup = join(making);
    state =
        state
            .withCgroups(cgroup.paths())
            .withInit(init().pid(), HostProcess.of(containers.kernel, init().pid()).startTime());
    hooks = new HookRunner(containers.kernel, config.ociVersion(), state, config.annotations());

    Batch second = new Batch();
    if (namespaces.makes(NamespaceType.CGROUP))
      second.add(new NamespaceCall.Unshare(NamespaceCall.CLONE_NEWCGROUP));
    FileSystemPlan rest = new FileSystemPlan(second, root);
    for (; next < config.mounts().size(); next++) {
      Mount mount = config.mounts().get(next);
      if ("cgroup".equals(mount.type()))
        cgroupMount(rest, mount, namespaces.has(NamespaceType.CGROUP));
      else rest.mount(mount, sourceIsDirectory.get(next));
    }
    if (!bindsDev()) rest.devices(linux, false);
    rest.workingDirectory(process.cwd());
    init().helper().run(second);
    buildRest(root, propagation);
  }

  private static Cgroup join(CompletableFuture<Cgroup> making) {
    try {
      return making.join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof RuntimeException cause) throw cause;
      throw e;
    }
  }

  private boolean bindsDev() {
    return config.mounts().stream()
        .anyMatch(m ->
            m.destination().replaceAll("/+$", "").equals("/dev")
                && MountOptions.parse(m.type() == null ? "bind" : m.type(), m.options()).bind());
  }

  private void cgroupMount(FileSystemPlan plan, Mount mount, boolean ownNamespace) {
    boolean unified = containers.cgroups.hierarchies().unified();
    Map<String, String> own = java.util.Objects.requireNonNull(cgroup).paths();
    List<FileSystemPlan.CgroupView> views = new ArrayList<>();
    for (Hierarchy hierarchy :
        unified ? containers.cgroups.hierarchies().list() : containers.cgroups.hierarchies().v1()) {
      String path = own.get(hierarchy.key());
      if (path == null) continue;
      String name = hierarchy.mountPoint().substring(hierarchy.mountPoint().lastIndexOf('/') + 1);
      views.add(new FileSystemPlan.CgroupView(name, hierarchy.controllers(), path));
    }
    plan.cgroup(mount, unified, ownNamespace, views);
  }

  private static long propagation(@Nullable String name) {
    return switch (name == null ? "" : name) {
      case "shared" -> MS_SHARED;
      case "rshared" -> MS_SHARED | MS_REC;
      case "private" -> MS_PRIVATE;
      case "rprivate" -> MS_PRIVATE | MS_REC;
      case "slave" -> MS_SLAVE;
      case "unbindable" -> MS_UNBINDABLE;
      case "runbindable" -> MS_UNBINDABLE | MS_REC;
      default -> MS_SLAVE | MS_REC;
    };
  }

  private void buildRest(Descriptor root, long propagation) {
    Linux linux = config.linux();
    Descriptor terminal = null;
    if (process.terminal()) {
      Console.Pair pair = Console.open(init().helper(), root, process.consoleSize());
      master = pair.master();
      terminal = pair.terminal();
      Batch batch = new Batch();
      new FileSystemPlan(batch, root).console(terminal);
      init().helper().run(batch);
    }
    hooks.run("prestart", config.hooks().prestart(), client.helper, Status.CREATING, init().pid());
    hooks.run(
        "createRuntime",
        config.hooks().createRuntime(),
        client.helper,
        Status.CREATING,
        init().pid());
    hooks.run(
        "createContainer",
        config.hooks().createContainer(),
        init().helper(),
        Status.CREATING,
        init().pid());

    Batch batch = new Batch();
    FileSystemPlan plan = new FileSystemPlan(batch, root);
    if (options.noPivot()) throw new ContainerException("--no-pivot: not implemented yet");
    plan.pivot();
    if ((propagation & (MS_SHARED | MS_UNBINDABLE)) != 0) {
      batch.add(new io.jrun.kernel.call.MountCall.Mount("", "/", "", propagation, null));
    }
    if (terminal != null)
      Console.attach(batch, terminal, process.user().uid(), process.user().gid());
    Map<String, Pending<Stat>> masked = new HashMap<>();
    for (String path : linux.maskedPaths()) {
      masked.put(path, batch.attempt(new FileCall.Statx(Descriptor.CWD, path, 0)));
    }
    Pending<Stat> nothing =
        batch.attempt(
            new FileCall.Statx(Descriptor.CWD, "/dev/null", FileCall.AT_SYMLINK_NOFOLLOW));
    Pending<byte[]> passwd = Program.askPasswd(batch);
    Results looked = init().helper().run(batch);
    env =
        Program.environment(
            process, looked.succeeded(passwd) ? looked.of(passwd) : null, state.listenFds());

    Batch last = new Batch();
    FileSystemPlan covers = new FileSystemPlan(last, root);
    if (!linux.sysctl().isEmpty()) Sysctls.addTo(last, linux.sysctl());
    covers.readonlyPaths(linux.readonlyPaths());
    List<String> directories = new ArrayList<>();
    List<String> files = new ArrayList<>();
    for (String path : linux.maskedPaths()) {
      Pending<Stat> stat = java.util.Objects.requireNonNull(masked.get(path));
      if (!looked.succeeded(stat)) continue;
      (looked.of(stat).isDirectory() ? directories : files).add(path);
    }
    if (!files.isEmpty()
        && !(looked.succeeded(nothing) && looked.of(nothing).isCharacterDevice(1, 3))) {
      throw new ContainerException(
          "masking paths: /dev/null of the container is not the null device");
    }
    covers.maskedPaths(directories, files);
    if (java.util.Objects.requireNonNull(config.root()).readonly()) covers.readonlyRoot();
    last.add(new FileCall.Close(root));
    IdentityPlan.add(
        last,
        process,
        seccomp,
        seccompFlags,
        options.noNewKeyring() ? null : "_ses." + options.id());
    program = Program.enterAndFind(init().helper(), last, process.cwd(), process.args(), env);
  }

  private Made finish() {
    store.complete(claim(), configBytes, state);
    if (options.pidFile() != null)
      client.replace(options.pidFile(), Integer.toString(init().pid()));
    if (options.consoleSocket() != null && master != null) {
      Console.send(client.helper, options.consoleSocket(), master);
      master.close();
      master = null;
    }
    return new Made(
        state,
        config,
        java.util.Objects.requireNonNull(cgroup),
        init(),
        master,
        hooks,
        program,
        env,
        seccomp,
        seccompFlags);
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
        new OwnedDescriptor(
            containers.kernel,
            ((Descriptor.Known)
                    containers.kernel.call(
                        new SocketCall.Socket(
                            SocketCall.AF_UNIX,
                            SocketCall.SOCK_STREAM | SocketCall.SOCK_CLOEXEC,
                            0,
                            false)))
                .number());
    try {
      containers.kernel.call(
          new SocketCall.Bind(socket.descriptor(), SocketCall.unixAddress(path)));
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
    Child child = init;
    Cgroup made = cgroup;
    if (terminal != null) suppressing(cause, terminal::close);
    if (child != null) suppressing(cause, () -> end(child));
    if (made != null) suppressing(cause, () -> end(made));
    if (cause.getSuppressed().length == 0)
      suppressing(cause, () -> store.delete(claim(), options.id()));
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

  /// The claim, for whoever looks after the container once it runs.
  Claim released() {
    claim().unlock();
    return claim();
  }

  @Override
  public void close() {
    if (claim != null) claim.close();
  }

  private void reap(int pid) {
    try {
      client.helper.call(new ProcessCall.Wait4(pid, 0));
    } catch (io.jrun.kernel.HelperGoneException e) {
      // the client is gone, and init with it (PR_SET_PDEATHSIG)
      HostProcess.of(containers.kernel, pid).awaitEnd(5000);
    }
  }
}

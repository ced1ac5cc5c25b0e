package io.jrun.runtime.container;

import io.jrun.cni.container.Networks;
import io.jrun.image.store.Lease;
import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperGoneException;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Results;
import io.jrun.kernel.Undoing;
import io.jrun.kernel.call.CredentialCall;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.MountCall;
import io.jrun.kernel.call.NamespaceCall;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.kernel.call.PseudoCall;
import io.jrun.kernel.call.SignalCall;
import io.jrun.kernel.process.ForkedHelper;
import io.jrun.runtime.cgroup.Cgroup;
import io.jrun.runtime.cgroup.Making;
import io.jrun.runtime.cli.CreateOptions;
import io.jrun.runtime.cli.RestoreOptions;
import io.jrun.runtime.criu.Criu;
import io.jrun.runtime.criu.CriuException;
import io.jrun.runtime.criu.CriuNotification;
import io.jrun.runtime.mount.RootFileSystem;
import io.jrun.runtime.resctrl.Resctrl;
import io.jrun.runtime.resctrl.ResctrlGroup;
import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.IntelRdt;
import io.jrun.specs.runtime.Namespace;
import io.jrun.specs.runtime.NamespaceType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Makes a container of a checkpoint: directory, state and cgroup as for a new one, and in the
/// place of init's work CRIU, from whose notifications the rest is done. What fails is undone.
///
/// The root file system becomes the mount point that CRIU wants in a mount namespace of CRIU's own,
/// so that nothing is left of it on the host.
final class Restoration implements AutoCloseable {
  /// In the container's directory, the mount point that CRIU takes for the root.
  private static final String CRIU_ROOT = "criu-root";

  private static final String DELETED = "the container was deleted while it was restored";

  private final Containers containers;
  private final ClientProcess client;
  private final Store store;
  private final RestoreOptions options;
  private final CreateOptions create;
  private final Criu criu;
  private final CriuProgress progress;

  private @Nullable Claim claim;
  private @Nullable StoredState state;
  private @Nullable Making making;
  private @Nullable OwnedDescriptor master;
  private @Nullable HostFiles hosts;

  /// The text of the config that is kept, but for what CRIU adds to it.
  private byte[] kept = {};

  private boolean isWired;

  /// Null until the first of them could run.
  private @Nullable HookRunner hooks;

  private boolean isCgroupMade;
  private boolean isStarted;
  private boolean isLent;

  /// @param options with absolute paths
  Restoration(
      Containers containers,
      ClientProcess client,
      Store store,
      RestoreOptions options,
      CriuProgress progress) {
    this.containers = containers;
    this.client = client;
    this.store = store;
    this.options = options;
    this.progress = progress;
    this.create = options.create();
    this.criu = new Criu(containers.kernel, client.helper, client.env(), options.criu().program());
  }

  /// A container that runs again.
  ///
  /// @param master of its terminal, where the client is to relay it
  record Restored(
      Claim claim,
      StoredState state,
      Config config,
      Cgroup cgroup,
      @Nullable OwnedDescriptor master) {}

  Restored perform() {
    ContainerId.check(create.id());
    Checkpoint.checkVersion(criu.version());
    List<String> unfinished =
        List.of("jrun", "--root", store.root().toString(), "delete", "--unfinished", create.id());
    Bundle.Asked asked =
        new Bundle.Directory(create.bundle()).ask(client, new PseudoCall.OnEof(unfinished, 1));
    try {
      claim = store.create(create.id());
    } catch (RuntimeException e) {
      asked.drop();
      throw e;
    }
    try {
      NotifySocket.makeDirectory(containers.kernel, client, store, create.id());
      Bundle read =
          NotifySocket.added(
              asked.await(containers.configs, create),
              containers.configs,
              client,
              store,
              create.id());
      check(read);
      return restore(named(read));
    } catch (RuntimeException e) {
      OwnedDescriptor terminal = master;
      if (terminal != null) Undoing.suppressing(e, terminal::close);
      // who deleted it has undone the rest
      if (isDeleted(e)) throw new ContainerException(DELETED, e);
      undo(e);
      throw e;
    }
  }

  private void check(Bundle read) {
    Config config = read.config();
    if (config.linux().namespace(NamespaceType.MOUNT) == null)
      throw new ContainerException("cannot restore a container without a mount namespace");
    Namespace cgroupNamespace = config.linux().namespace(NamespaceType.CGROUP);
    if (cgroupNamespace != null && cgroupNamespace.path() != null)
      throw new ContainerException("cannot restore into a joined cgroup namespace");
    if (JoinedSandbox.asked(config) != null)
      throw new ContainerException("cannot restore a container of a sandbox");
    if (Lease.of(Path.of(read.path())).isPresent())
      throw new ContainerException(
          "cannot restore into "
              + read.path()
              + ", a bundle of the image store: it is the container's that it was made for");
    Networking.check(config);
    boolean terminal = read.process().terminal();
    if (terminal && options.detach() && create.consoleSocket() == null)
      throw new ContainerException(
          "cannot allocate tty if jrun will detach without setting console socket");
    if (create.consoleSocket() != null && (!terminal || !options.detach()))
      throw new ContainerException(
          "cannot use console socket if jrun will not detach or allocate tty");
  }

  /// With the files that name hosts, where it has a network: those of the saved one are gone.
  private Bundle named(Bundle read) {
    Config config = read.config();
    kept = read.bytes();
    if (!Networking.isWanted(config)) return read;
    hosts = new HostFiles(containers.kernel, claim(), config, null);
    hosts.write(List.of());
    Config named =
        NameFiles.bound(config, store.directory(create.id()), config.hostname() != null, false);
    kept = containers.configs.text(named, config, read.bytes());
    return read.with(named);
  }

  private Restored restore(Bundle read) {
    Config config = read.config();
    Making made = CgroupRequest.plan(containers, client, create.global(), create.id(), read);
    StoredState begun =
        StoredState.begun(
                new StoredState.Given(
                    create.id(),
                    read.path(),
                    read.rootfs(),
                    Instant.now(),
                    0,
                    0,
                    false,
                    null,
                    "",
                    Networking.asked(config, client)))
            .withCgroups(made.cgroup().paths(), made.cgroup().scope());
    IntelRdt rdt = config.linux().intelRdt();
    ResctrlGroup group =
        rdt == null ? null : Resctrl.find(containers.kernel).group(rdt, create.id());
    if (group != null) begun = begun.withResctrl(group.ownDirectories());
    state = begun;
    store.begin(claim(), begun);
    if (group != null) group.make();
    making = made;
    made.makeBirthplace();
    if (!made.takesIn()) makeRest(made, 0);
    onEof();
    RestoreMountPoints.make(containers.kernel, client.helper, config, read.rootfs());
    CriuImages images = new CriuImages(options.criu(), "restore.log");
    try (RestoreRequest request =
        new RestoreRequest(containers, options, read, made.cgroup(), criuRoot())) {
      int pid =
          criu.restore(
              request.of(images),
              NamespaceCall.CLONE_NEWNS,
              request.inherited(),
              child -> {
                progress.began(HostProcess.of(containers.kernel, child.pid()));
                prepare(child, made, read.rootfs());
                if (group != null) group.add(child.pid());
                lend();
              },
              notification -> {
                reclaim();
                notified(read, notification);
                lend();
              });
      reclaim();
      if (!isStarted) started(read, pid);
      removeCriuRoot();
    } catch (CriuException e) {
      throw images.explained(e);
    }
    new PidFile(client, create.pidFile()).write(state().initPid());
    return new Restored(claim(), state(), config, made.cgroup(), master);
  }

  private void makeRest(Making made, int pid) {
    made.makeRest(() -> pid);
    isCgroupMade = true;
  }

  /// Lets others delete the container while CRIU waits for pages, which may never come.
  private void lend() {
    if (!options.criu().lazyPages()) return;
    isLent = true;
    claim().unlock();
  }

  private void reclaim() {
    if (!isLent) return;
    if (!claim().relock()) throw new ContainerException(DELETED);
    isLent = false;
  }

  /// What a client does whose engine dies, and whose container nobody would know.
  private void onEof() {
    Batch batch = new Batch();
    batch.add(
        new PseudoCall.OnEof(
            List.of("jrun", "--root", store.root().toString(), "delete", "--force", create.id()),
            1));
    if (!options.detach() && !options.noSubreaper())
      batch.add(new CredentialCall.Prctl(CredentialCall.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
    client.helper.run(batch);
  }

  /// The process that becomes CRIU: its children are born in the cgroup, and its mounts are its
  /// own.
  private void prepare(ForkedHelper child, Making cgroup, String rootfs) {
    if (cgroup.takesIn()) makeRest(cgroup, child.pid());
    cgroup.cgroup().add(child.pid());
    Batch batch = new Batch();
    RootFileSystem.hostRoot(batch, MountCall.MS_REC | MountCall.MS_SLAVE);
    batch.add(new FileCall.Mkdirat(Descriptor.CWD, criuRoot(), 0755));
    batch.add(
        new MountCall.Mount(rootfs, criuRoot(), "", MountCall.MS_BIND | MountCall.MS_REC, null));
    child.helper().run(batch);
  }

  private String criuRoot() {
    return criuRoot(store, create.id()).toString();
  }

  private static Path criuRoot(Store store, String id) {
    return store.directory(id).resolve(CRIU_ROOT);
  }

  /// Whether every process of its cgroup is CRIU's, or the container's that it restores.
  static boolean isUnderWay(Store store, String id) {
    return Files.exists(criuRoot(store, id));
  }

  private void notified(Bundle read, CriuNotification notification) {
    client.log.step("criu is at ", notification.script());
    switch (notification.script()) {
      case "setup-namespaces" -> setUp(read, notification.pid());
      case "post-restore" -> started(read, notification.pid());
      case "orphan-pts-master" -> {
        if (!notification.descriptors().isEmpty()) terminal(notification.descriptors().getFirst());
      }
      default -> {} // a moment at which there is nothing to do
    }
  }

  /// The namespaces are there, and nothing runs in them yet.
  private void setUp(Bundle read, int pid) {
    Config config = read.config();
    if (new NamespacePlan(config.linux()).makes(NamespaceType.NETWORK)) raiseLoopback(pid);
    if (Networking.isWanted(config)) {
      isWired = true;
      Networks.Attaching attaching = networking().begin(config);
      attaching.written(Optional.empty(), attached -> {});
      networking().keep(attaching, pid);
      List<Networks.Attached> attached = attaching.finish(Networking.netns(pid), () -> {});
      Objects.requireNonNull(hosts).write(attached);
      state = state().withAddresses(HostNames.addresses(attached));
    }
    complete(read, pid);
    HookRunner runner = new HookRunner(containers.kernel, client, config, state());
    hooks = runner;
    runner.creating(pid);
  }

  /// CRIU makes an empty network namespace, in which even `lo` is down.
  private void raiseLoopback(int pid) {
    Batch batch = new Batch();
    Descriptor own = namespace(batch, "/proc/self/ns/net");
    Descriptor theirs = namespace(batch, "/proc/" + pid + "/ns/net");
    batch.add(new NamespaceCall.Setns(theirs, NamespaceCall.CLONE_NEWNET));
    Pending<?> raised = Loopback.attemptIn(batch);
    batch.add(new NamespaceCall.Setns(own, NamespaceCall.CLONE_NEWNET));
    batch.add(new FileCall.Close(theirs));
    batch.add(new FileCall.Close(own));
    Results results = client.helper.run(batch);
    if (results.succeeded(raised)) return;
    Errno errno = Errno.of(results.errno(raised));
    throw new ContainerException("bringing up lo: " + errno.name() + " (" + errno.text() + ")");
  }

  private static Descriptor namespace(Batch batch, String path) {
    int flags = FileCall.O_RDONLY | FileCall.O_CLOEXEC;
    return batch.add(new FileCall.Openat(Descriptor.CWD, path, flags, 0, false)).descriptor();
  }

  /// Before hooks run: whoever finds the container knows of those after the end.
  private void complete(Bundle read, int pid) {
    long start = HostProcess.of(containers.kernel, pid).startTime();
    if (start == 0) throw new ContainerException("the restored init has ended");
    StoredState restored = state().withInit(pid, start);
    state = restored;
    store.complete(claim(), RestoredConfig.of(read.config(), kept, pid), restored);
  }

  private void started(Bundle read, int pid) {
    if (state().initPid() == 0) complete(read, pid);
    store.started(claim());
    isStarted = true;
    progress.restored(containers.init(state()));
  }

  private void terminal(OwnedDescriptor received) {
    if (create.consoleSocket() != null) {
      Console.send(client.helper, create.consoleSocket(), received);
      received.close();
    } else {
      master = received;
      progress.terminal(received);
    }
  }

  private Networking networking() {
    return new Networking(containers, client, store, state());
  }

  private Claim claim() {
    return Objects.requireNonNull(claim);
  }

  private StoredState state() {
    return Objects.requireNonNull(state);
  }

  private void undo(RuntimeException cause) {
    Making begun = making;
    int before = cause.getSuppressed().length;
    if (begun != null && isCgroupMade) Undoing.suppressing(cause, () -> end(begun.cgroup()));
    else if (begun != null) begun.undo(cause);
    if (isWired) Undoing.suppressing(cause, networking()::detach);
    if (state != null)
      Undoing.suppressing(cause, () -> Resctrl.remove(containers.kernel, state().resctrl()));
    HookRunner runner = hooks;
    if (runner != null && runner.hasPoststop() && client.isGone()) return; // `delete` runs them
    if (cause.getSuppressed().length == before)
      Undoing.suppressing(
          cause,
          () -> {
            removeCriuRoot();
            store.delete(claim(), create.id());
          });
    if (runner != null) Undoing.suppressing(cause, runner::poststop);
  }

  private boolean isDeleted(RuntimeException cause) {
    try {
      return isLent && !claim().relock();
    } catch (RuntimeException e) {
      cause.addSuppressed(e);
      return false;
    }
  }

  private void end(Cgroup cgroup) {
    cgroup.signal(SignalCall.SIGKILL);
    try {
      reapInit();
    } catch (HelperGoneException e) {
      // then init is no child of the client's any more
    }
    cgroup.remove();
  }

  private void reapInit() {
    if (state().initPid() == 0) return;
    Batch batch = new Batch();
    batch.attempt(new ProcessCall.Wait4(state().initPid(), 0));
    client.helper.run(batch);
  }

  /// The mount on it is gone with CRIU's mount namespace.
  private void removeCriuRoot() {
    try {
      containers.kernel.call(
          new FileCall.Unlinkat(Descriptor.CWD, criuRoot(), FileCall.AT_REMOVEDIR));
    } catch (KernelException e) {
      if (!e.errno().equals(Errno.ENOENT)) throw e;
    }
  }

  @Override
  public void close() {
    if (hosts != null) hosts.close();
    if (claim != null) claim.close();
  }
}

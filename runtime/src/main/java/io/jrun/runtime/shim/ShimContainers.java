package io.jrun.runtime.shim;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.IoReason;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.IoctlCall;
import io.jrun.kernel.call.SignalCall;
import io.jrun.kernel.wire.Hello;
import io.jrun.kernel.wire.Keeper;
import io.jrun.runtime.cgroup.Cgroup;
import io.jrun.runtime.cli.Caller;
import io.jrun.runtime.cli.CheckpointOptions;
import io.jrun.runtime.cli.CreateOptions;
import io.jrun.runtime.cli.CriuOptions;
import io.jrun.runtime.cli.GlobalOptions;
import io.jrun.runtime.cli.Log;
import io.jrun.runtime.cli.LogFormat;
import io.jrun.runtime.cli.RestoreOptions;
import io.jrun.runtime.cli.UpdateOptions;
import io.jrun.runtime.container.ContainerOperations;
import io.jrun.runtime.container.Containers;
import io.jrun.runtime.container.CriuProgress;
import io.jrun.runtime.container.SandboxOperations;
import io.jrun.runtime.container.Supervised;
import io.jrun.specs.json.Json.JsonObject;
import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.NamespaceType;
import io.jrun.specs.runtime.Status;
import io.jrun.specs.sandbox.CreateSandbox;
import io.jrun.specs.task.CheckpointTask;
import io.jrun.specs.task.CreateTask;
import io.jrun.specs.task.RuncOptions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// The containers of a pod, as operations on them by way of the keeper's workers.
final class ShimContainers {
  /// As `/run/containerd/runc` is runc's: a directory per namespace.
  private static final String ROOT = "/run/containerd/jrun";

  /// In the bundle: where the container's state is, for whoever deletes without the journal.
  static final String ROOT_FILE = "jrun.root";

  /// A command without one who called it: what it says goes to the engine's log.
  private static final Caller NOBODY =
      new Caller() {
        @Override
        public void out(String text) {
          System.err.print(text);
        }

        @Override
        public void err(String text) {
          System.err.print(text);
        }

        @Override
        public void appendToFile(String path, String text) {
          throw new UnsupportedOperationException("a log file of the shim");
        }

        @Override
        public String run(List<String> command) {
          throw new UnsupportedOperationException("a command of the shim");
        }

        @Override
        public Instant now() {
          return Instant.now();
        }
      };

  /// As containerd gives it to the processes of pause images.
  private static final String PAUSE_OOM_SCORE = "-998";

  private final Containers containers;
  private final Kernel kernel;
  private final Workers workers;
  private final String namespace;
  private final Hello hello;

  ShimContainers(
      Containers containers, Kernel kernel, Workers workers, ShimLine line, List<String> env) {
    this.containers = containers;
    this.kernel = kernel;
    this.workers = workers;
    this.namespace = line.namespace();
    // sockets that were passed to containerd are not the container's
    this.hello = new Hello(List.of(), env.stream().filter(v -> !v.startsWith("LISTEN_")).toList());
  }

  String namespace() {
    return namespace;
  }

  String root(RuncOptions options) {
    return root(options.root(), namespace);
  }

  /// Of a pod's own pause process, whose request brings no options.
  String root() {
    return root("", namespace);
  }

  static String root(String given, String namespace) {
    return (given.isEmpty() ? ROOT : given) + "/" + namespace;
  }

  static GlobalOptions global(String root, boolean systemdCgroup) {
    return new GlobalOptions(root, null, LogFormat.TEXT, false, false, systemdCgroup, "false");
  }

  private static GlobalOptions global(TaskProcess process) {
    return global(process.root(), false);
  }

  LazyWorker worker() {
    return new LazyWorker(kernel, workers);
  }

  static ContainerOperations operations(Containers containers, HelperKernel worker, Hello hello) {
    return containers.operations(worker, hello, new Log(global("", false), NOBODY));
  }

  private ContainerOperations by(HelperKernel worker) {
    return operations(containers, worker, hello);
  }

  /// For what needs no process.
  private ContainerOperations byNobody() {
    return by(worker());
  }

  /// What is found without the journal: by containerd, and by `delete`.
  void noteFor(String bundle, String root, String socket) {
    try {
      Files.writeString(Path.of(bundle, ROOT_FILE), root);
      Path address = Path.of(bundle, "address");
      if (!Files.exists(address)) Files.writeString(address, "unix://" + socket);
    } catch (IOException e) {
      throw new UncheckedIOException("writing into " + bundle + ": " + IoReason.of(e), e);
    }
  }

  /// The keeper joins the cgroup that the options name for the shim. Engines that it starts later
  /// are to be where it was before.
  void joinShimCgroup(RuncOptions options, Keeper keeper, int pid) {
    if (options.shimCgroup().isEmpty()) return;
    int index = 0;
    for (String directory : containers.cgroupsOf(pid)) {
      String path = directory + "/cgroup.procs";
      try (OwnedDescriptor procs =
          OwnedDescriptor.open(kernel, FileCall.Openat.existing(path, FileCall.O_WRONLY))) {
        keeper.home(index++, procs);
      }
    }
    containers.join(options.shimCgroup(), pid);
  }

  /// @param sandbox that it joins
  Supervised create(
      HelperKernel worker,
      CreateTask request,
      RuncOptions options,
      String root,
      Optional<TaskProcess> sandbox) {
    CreateOptions create =
        new CreateOptions(
            global(root, options.systemdCgroup()),
            request.id(),
            request.bundle(),
            null,
            null,
            request.bundle() + "/init.pid",
            options.noPivotRoot(),
            options.noNewKeyring(),
            0);
    return by(worker).supervise(sandbox.map(s -> create.joining(s.id)).orElse(create));
  }

  /// Makes a pod's pause process. Of all processes of the machine it is one of the last to be
  /// killed for want of memory, where the shim may say so.
  Supervised createSandbox(HelperKernel worker, CreateSandbox request, PodPause pause) {
    Batch score = new Batch();
    Descriptor file =
        score
            .add(FileCall.Openat.existing("/proc/self/oom_score_adj", FileCall.O_WRONLY))
            .descriptor();
    score.attempt(new FileCall.Write(file, PAUSE_OOM_SCORE.getBytes(StandardCharsets.US_ASCII)));
    score.add(new FileCall.Close(file));
    worker.run(score);
    CreateOptions options =
        new CreateOptions(
            global(root(), pause.isInSlice()),
            request.id(),
            "",
            null,
            null,
            request.bundle() + "/init.pid",
            false,
            false,
            0);
    try (OwnedDescriptor users = pause.mapsUsers() ? usersOf(request.network()) : null) {
      String path =
          users == null ? "" : "/proc/" + ProcessHandle.current().pid() + "/fd/" + users.number();
      return sandboxes(worker, root())
          .supervise(options, directory -> pause.config(directory, path), pause.names());
    }
  }

  /// The user namespace that owns that of the network.
  private OwnedDescriptor usersOf(String network) {
    try (OwnedDescriptor file =
        OwnedDescriptor.open(kernel, FileCall.Openat.existing(network, FileCall.O_RDONLY))) {
      IoctlCall.Ioctl call =
          new IoctlCall.Ioctl(file.descriptor(), IoctlCall.NS_GET_USERNS, 0, false);
      return new OwnedDescriptor(kernel, kernel.call(call));
    }
  }

  /// Ends the pod's containers and its pause process.
  void stopSandbox(TaskProcess sandbox, int seconds) {
    try (LazyWorker worker = worker()) {
      sandboxes(worker, sandbox.root()).stop(sandbox.id, seconds);
    }
  }

  private SandboxOperations sandboxes(HelperKernel worker, String root) {
    return by(worker).sandboxes(global(root, false));
  }

  /// As it was at create; empty where it is gone.
  Optional<Config> config(TaskProcess process) {
    return byNobody().config(global(process), process.id);
  }

  Descriptor mappingNamespace(HelperKernel worker, RootfsOptions options) {
    return by(worker).mappingNamespace(options.uids(), options.gids());
  }

  void start(HelperKernel worker, TaskProcess process) {
    by(worker).start(global(process), process.id);
  }

  /// Restores it from its images, in place of the start of a new one.
  void restore(HelperKernel worker, TaskProcess process, CriuProgress progress) {
    Line begun = process.begun();
    String work = begun.text("criuWork");
    by(worker)
        .restore(
            new RestoreOptions(
                new CreateOptions(
                    global(process.root(), begun.flag("systemdCgroup")),
                    process.id,
                    process.bundle(),
                    null,
                    null,
                    process.bundle() + "/init.pid",
                    begun.flag("noPivotRoot"),
                    false,
                    0),
                criu(begun.text("criu"), process.checkpoint(), work.isEmpty() ? null : work),
                false,
                true,
                null,
                null),
            progress);
  }

  private static CriuOptions criu(String program, String images, @Nullable String work) {
    return new CriuOptions(
        program, images, work, false, false, false, false, "", List.of(), false, false);
  }

  /// Saves it, and deletes it unless it is to be left running.
  void checkpoint(
      HelperKernel worker, TaskProcess process, CheckpointTask asked, CriuProgress progress) {
    by(worker)
        .checkpoint(
            new CheckpointOptions(
                global(process),
                process.id,
                new CriuOptions(
                    process.begun().text("criu"),
                    asked.path(),
                    asked.workPath(),
                    asked.openTcp(),
                    asked.externalUnixSockets(),
                    asked.terminal(),
                    asked.fileLocks(),
                    asked.cgroupsMode(),
                    asked.emptyNamespaces(),
                    false,
                    false),
                asked.parentPath().isEmpty() ? null : asked.parentPath(),
                !asked.exit(),
                false,
                false,
                -1,
                null,
                false),
            progress);
  }

  void exec(HelperKernel worker, TaskProcess process, Consumer<Supervised> born) {
    by(worker).supervise(global(process), process.id, process.spec(), born);
  }

  /// Deletes it, where it is still there.
  void delete(HelperKernel worker, TaskProcess process) {
    if (process.isSandbox()) sandboxes(worker, process.root()).remove(process.id, true);
    else by(worker).delete(global(process), process.id, true, false);
  }

  void pause(TaskProcess process) {
    byNobody().pause(global(process), process.id);
  }

  void resume(TaskProcess process) {
    byNobody().resume(global(process), process.id);
  }

  void thaw(TaskProcess process) {
    cgroup(process).thaw();
  }

  void update(TaskProcess process, JsonObject resources) {
    byNobody().update(new UpdateOptions(global(process), process.id, null, resources));
  }

  Cgroup cgroup(TaskProcess process) {
    return byNobody().cgroup(global(process), process.id);
  }

  /// Empty where there is no such container any more: an engine's end has left its deletion half
  /// done.
  Optional<Cgroup> findCgroup(TaskProcess process) {
    return byNobody().findCgroup(global(process), process.id);
  }

  /// CREATING also where there is no such container.
  Status status(TaskProcess process) {
    return byNobody().status(global(process), process.id).orElse(Status.CREATING);
  }

  /// The end of a container's init is the end of the container: without a pid namespace of its own
  /// the kernel does not see to that.
  void endOthers(TaskProcess init) {
    try {
      if (!hasPidNamespace(init)) cgroup(init).signal(SignalCall.SIGKILL);
    } catch (RuntimeException e) {
      System.err.println("jrun: ending what is left of " + init.id + ": " + e.getMessage());
    }
  }

  private boolean hasPidNamespace(TaskProcess process) {
    return config(process).map(config -> config.linux().makes(NamespaceType.PID)).orElse(true);
  }
}

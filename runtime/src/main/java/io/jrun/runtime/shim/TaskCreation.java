package io.jrun.runtime.shim;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.IoReason;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.Undoing;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.wire.Keeper;
import io.jrun.kernel.wire.KeeperState;
import io.jrun.runtime.cli.Log;
import io.jrun.runtime.container.ContainerException;
import io.jrun.runtime.container.ContainerId;
import io.jrun.runtime.container.Supervised;
import io.jrun.specs.json.Json;
import io.jrun.specs.proto.ProtoWriter;
import io.jrun.specs.runtime.Status;
import io.jrun.specs.task.CreateTask;
import io.jrun.specs.task.ExecTask;
import io.jrun.specs.task.RuncOptions;
import io.jrun.specs.ttrpc.StatusCode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;

/// Create, which makes a container whose init waits for Start; and Exec, which notes a process for
/// Start to make.
final class TaskCreation {
  private final Keeper keeper;
  private final KeeperState state;
  private final Pod pod;
  private final Workers workers;
  private final ShimContainers containers;
  private final TaskStreams streams;
  private final TaskDeletion deletion;
  private final OomReports oomReports;

  TaskCreation(
      Keeper keeper,
      KeeperState state,
      Pod pod,
      Workers workers,
      ShimContainers containers,
      TaskStreams streams,
      TaskDeletion deletion,
      OomReports oomReports) {
    this.keeper = keeper;
    this.state = state;
    this.pod = pod;
    this.workers = workers;
    this.containers = containers;
    this.streams = streams;
    this.deletion = deletion;
    this.oomReports = oomReports;
  }

  /// Refuses what is no id: what is noted under it could not be undone.
  static void checkId(String id, String failed) {
    try {
      ContainerId.check(id);
    } catch (ContainerException e) {
      throw RpcException.of(failed, e);
    }
  }

  /// The answer to Create.
  byte[] create(Call call) {
    CreateTask request = CreateTask.read(call.payload());
    String id = request.id();
    checkId(id, "OCI runtime create failed");
    TaskProcess before = pod.find(id, "").orElse(null);
    if (before != null && (before.isSandbox() || before.isCreated) && !before.isDeleted) {
      if (!call.isReplayed() || before.isSandbox()) throw RpcException.exists("container " + id);
      streams.settle(before);
      return before.pidAnswer();
    }
    RuncOptions options = RuncOptions.read(request.options(), TaskCreation::optionsFile);
    TaskProcess sandbox = pod.sandbox().orElse(null);
    if (sandbox != null && !request.checkpoint().isEmpty())
      throw RpcException.unimplemented("a checkpoint restored in a pod of sandboxer = \"shim\"");
    String root = sandbox == null ? containers.root(options) : sandbox.root();
    if (before != null) {
      if (!before.isDeleted) deletion.undoContainer(before);
      pod.forget(before);
    }
    Line line = beginning(request, options, root);
    // of one that is begun again the streams are kept: to its client nothing has happened
    if (before != null && !before.isDeleted) pod.record(line.with("place", before.place()));
    else recordPlaced(line);
    TaskProcess process = pod.find(id, "").orElseThrow();
    try {
      return create(call, request, options, process);
    } catch (RuntimeException e) {
      Undoing.suppressing(e, () -> deletion.undoWhole(process));
      throw RpcException.of("OCI runtime create failed", e);
    }
  }

  private static String optionsFile(String path) {
    try {
      return Files.readString(Path.of(path));
    } catch (IOException e) {
      throw new UncheckedIOException(
          "reading the runtime options " + path + ": " + IoReason.of(e), e);
    }
  }

  private static Line beginning(CreateTask request, RuncOptions options, String root) {
    Line line =
        Line.of(Line.What.CREATE, request.id(), "")
            .with("bundle", request.bundle())
            .with("root", root)
            .with("rootfs", TaskProcess.json(request.rootfs()))
            .with("criu", options.criuPath())
            .with(request.stdio(), new Stdio.Owner(options.ioUid(), options.ioGid()));
    return request.checkpoint().isEmpty()
        ? line
        : line.with("checkpoint", request.checkpoint())
            .with("criuWork", options.criuWorkPath())
            .with("noPivotRoot", options.noPivotRoot())
            .with("systemdCgroup", options.systemdCgroup());
  }

  private void recordPlaced(Line line) {
    if (!pod.recordPlaced(line, Keeper.FIRST_PLACE, Keeper.PLACES, Stdio.PLACES))
      throw new RpcException(StatusCode.RESOURCE_EXHAUSTED, "too many processes in one pod");
  }

  private byte[] create(Call call, CreateTask request, RuncOptions options, TaskProcess process) {
    containers.noteFor(request.bundle(), process.root(), state.socket());
    containers.joinShimCgroup(options, keeper, state.pid());
    try (HelperKernel worker = workers.fork()) {
      if (!options.binaryName().isEmpty())
        warn(worker, "BinaryName " + options.binaryName() + " is ignored: jrun is its own runtime");
      new RootfsMounts(worker, request.bundle() + "/rootfs")
          .mount(request.rootfs(), ids -> containers.mappingNamespace(worker, ids));
      if (process.isOfCheckpoint()) { // start makes it
        pod.record(process.line(Line.What.CREATED));
        return new ProtoWriter().toBytes();
      }
      streams.giveTo(worker, process, call);
      Supervised made = containers.create(worker, request, options, process.root(), pod.sandbox());
      // before it is made for good, since a terminal whose relay is missing would not get one
      try (OwnedDescriptor terminal = made.terminal()) {
        if (terminal != null) streams.relay(process, terminal, call);
      }
      pod.recordBorn(process, Line.What.CREATED, made.pid(), made.startTime());
      streams.settle(process);
      oomReports.begin(process);
      return process.pidAnswer();
    }
  }

  /// Into the shim's log, which a worker has as its standard error at first.
  private static void warn(HelperKernel worker, String message) {
    String line = Log.text("warning", message, Instant.now());
    Batch batch = new Batch();
    batch.attempt(new FileCall.Write(Descriptor.STDERR, line.getBytes(StandardCharsets.UTF_8)));
    worker.run(batch);
  }

  void exec(Call call) {
    ExecTask request = ExecTask.read(call.payload());
    TaskProcess init = pod.task(request.id());
    if (init.hasEnded()) throw RpcException.unknown("cannot exec in a stopped state");
    if (init.pid == 0) throw RpcException.unknown("cannot exec in a created state");
    TaskProcess before = pod.find(request.id(), request.execId()).orElse(null);
    if (before != null && !before.isDeleted) {
      if (call.isReplayed()) return;
      throw RpcException.exists("id " + request.execId());
    }
    if (init.isPaused && containers.status(init) == Status.PAUSED)
      throw RpcException.unknown("cannot exec in a paused state");
    Json.parse(request.process()); // what it says is looked at by Start
    recordPlaced(
        Line.of(Line.What.EXEC, request.id(), request.execId())
            .with("bundle", init.bundle())
            .with("root", init.root())
            .with(request.stdio(), init.stdioOwner())
            .with("spec", new String(request.process(), StandardCharsets.UTF_8)));
  }
}

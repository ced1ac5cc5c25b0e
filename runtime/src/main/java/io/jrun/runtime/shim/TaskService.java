package io.jrun.runtime.shim;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.wire.Keeper;
import io.jrun.kernel.wire.KeeperState;
import io.jrun.runtime.cgroup.Cgroup;
import io.jrun.runtime.cgroup.CgroupException;
import io.jrun.runtime.cgroup.OomWatch;
import io.jrun.runtime.container.ContainerException;
import io.jrun.runtime.container.HostProcess;
import io.jrun.runtime.container.Supervised;
import io.jrun.runtime.shim.metrics.CgroupMetrics;
import io.jrun.specs.json.Json;
import io.jrun.specs.json.Json.JsonObject;
import io.jrun.specs.proto.ProtoMessage;
import io.jrun.specs.proto.ProtoWriter;
import io.jrun.specs.runtime.Status;
import io.jrun.specs.task.AnyValue;
import io.jrun.specs.task.CheckpointTask;
import io.jrun.specs.task.CreateTask;
import io.jrun.specs.task.ExecTask;
import io.jrun.specs.task.RuncOptions;
import io.jrun.specs.task.TaskState;
import io.jrun.specs.task.TaskStatus;
import io.jrun.specs.ttrpc.StatusCode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// `containerd.task.v2.Task` and `containerd.task.v3.Task`, which differ in nothing but their
/// names.
///
/// What a request does is written into the pod's journal before it is answered, and what cannot be
/// undone before it is done. A request that an engine before may have begun is answered from there.
final class TaskService implements AutoCloseable {
  private static final Set<String> SERVICES =
      Set.of("containerd.task.v2.Task", "containerd.task.v3.Task");
  private static final byte[] EMPTY = {};
  private static final int SIGKILL = 9;
  private static final int SIGTERM = 15;
  private static final long END_MILLIS = 10_000;
  private static final long LOGGER_MILLIS = 12_000;

  /// So long after an engine's end a request would have come again: its keeper sends them at once.
  private static final long UNASKED_MILLIS = 2_000;

  /// For what a new engine must know of a process that an engine before had begun.
  static final long DECIDE_MILLIS = 2_000;

  private final Kernel kernel;
  private final Keeper keeper;
  private final Pod pod;
  private final KeeperState state;
  private final Workers workers;
  private final ShimContainers containers;
  private final Checkpoints checkpoints;
  private final OomWatcher oomWatcher;
  private final Map<String, OomWatcher.Watching> watchings = new ConcurrentHashMap<>();
  private final Turns turns = new Turns();
  private final ExecutorService threads;
  private final ScheduledExecutorService timer;

  /// Containers that an engine before had begun to create, until their Create comes again.
  private final Set<TaskProcess> unasked = ConcurrentHashMap.newKeySet();

  private final AtomicLong creations = new AtomicLong();
  private volatile boolean isShutDown;
  private volatile boolean isClosed;

  TaskService(
      SharedByPods engine,
      Keeper keeper,
      Pod pod,
      KeeperState state,
      ShimLine line,
      List<String> env) {
    this.kernel = engine.kernel();
    this.keeper = keeper;
    this.workers = new Workers(keeper, state, engine.program());
    this.oomWatcher = engine.oomWatcher();
    this.pod = pod;
    this.state = state;
    this.containers = new ShimContainers(engine.containers(), kernel, workers, line, env);
    this.checkpoints = new Checkpoints(kernel, pod, containers);
    this.threads = engine.threads();
    this.timer = engine.timer();
  }

  /// Goes on with what an engine before was told of and had perhaps not done.
  void resume() {
    for (TaskProcess init : pod.all(p -> p.isInit() && p.reaped != null && !p.hasExited))
      endOthers(init);
    for (TaskProcess init : pod.all(p -> p.isInit() && p.pid != 0 && !p.hasExited)) watchOom(init);
    unasked.addAll(pod.all(p -> p.isInit() && !p.isCreated));
    // the requests may come again, or may not: whoever asked may be gone
    List<TaskProcess> begun = List.copyOf(pod.all(p -> p.isStarting || p.isCheckpointing()));
    for (TaskProcess process : begun) threads.execute(() -> locked(process, this::decide));
    if (unasked.isEmpty() && begun.isEmpty()) return;
    Future<?> _ =
        timer.schedule(
            () -> threads.execute(() -> giveUp(begun)), UNASKED_MILLIS, TimeUnit.MILLISECONDS);
  }

  private void locked(TaskProcess process, Consumer<TaskProcess> step) {
    locked(
        key(process.id, process.execId),
        () -> {
          step.accept(process);
          return EMPTY;
        });
  }

  /// Nobody has asked again.
  private void giveUp(List<TaskProcess> begun) {
    forgetUnasked();
    for (TaskProcess process : begun) {
      try {
        if (!isClosed) locked(process, this::giveUp);
      } catch (RuntimeException e) {
        System.err.println("jrun: the start of " + name(process) + ": " + e.getMessage());
      }
    }
  }

  /// What did not start, and is not being started again, has failed: only so can its end be told,
  /// and behind it that of its container.
  private void giveUp(TaskProcess process) {
    if (!process.isStarting || !process.hasNotStarted) return;
    if (!process.isInit() || process.isOfCheckpoint()) stdio(process).settle();
    pod.record(Line.of(Line.What.FAILED, process.id, process.execId));
    pod.settle();
  }

  /// Undoes what was begun for a containerd that has died too, and so does not know of it.
  private void forgetUnasked() {
    for (TaskProcess begun : unasked) {
      try {
        locked(begun.id, () -> forgetUnasked(begun));
      } catch (RuntimeException e) {
        System.err.println("jrun: undoing the creation of " + begun.id + ": " + e.getMessage());
      }
    }
  }

  private byte[] forgetUnasked(TaskProcess begun) {
    // a Create that came again has made it another
    if (unasked.contains(begun) && pod.find(begun.id, "").orElse(null) == begun) {
      undo(begun);
      pod.record(Line.of(Line.What.FORGOTTEN, begun.id, ""));
    }
    unasked.remove(begun);
    return EMPTY;
  }

  /// Finds out what has become of a start or checkpoint that an engine before had begun. That a
  /// process did not start is left to be found again by who asks.
  private void decide(TaskProcess process) {
    try {
      checkpoints.settleSaving(process);
      if (!process.isStarting) return;
      if (hasStarted(process)) recordStarted(process);
      else process.hasNotStarted = true;
    } catch (RuntimeException e) {
      System.err.println("jrun: after an engine's end, " + name(process) + ": " + e.getMessage());
    }
  }

  /// Tells when the container runs out of memory, and whether it did while nobody looked.
  private void watchOom(TaskProcess init) {
    try {
      OomWatch watch = containers.cgroup(init).watchOom();
      long kills = watch.kills();
      watchings.put(init.id, oomWatcher.watch(watch, now -> oom(init, now)));
      if (kills > init.oomKills) oom(init, kills);
    } catch (CgroupException | KernelException | ContainerException e) {
      System.err.println("jrun: no OOM events of " + init.id + ": " + e.getMessage());
    }
  }

  private void oom(TaskProcess init, long kills) {
    pod.record(
        Line.of(Line.What.OOM, init.id, "").with("kills", Math.max(kills, init.oomKills + 1)));
  }

  /// A process has ended.
  void ended(TaskProcess process) {
    OomWatcher.Watching watching = process.isInit() ? watchings.remove(process.id) : null;
    if (watching != null) watching.close();
  }

  /// The answer; null for one that comes later.
  byte @Nullable [] perform(Call call) {
    String service = call.request().service();
    if (!SERVICES.contains(service)) throw RpcException.unimplemented("service " + service);
    ProtoMessage m = ProtoMessage.parse(call.payload());
    String id = m.string(1);
    String method = call.request().method();
    return switch (method) {
      case "State" -> state(id, m.string(2));
      case "Create" -> locked(id, () -> create(call));
      case "Start" -> locked(key(id, m.string(2)), () -> start(call, id, m.string(2)));
      case "Delete" -> locked(key(id, m.string(2)), () -> delete(id, m.string(2)));
      case "Exec" -> locked(id, () -> exec(call));
      case "Wait" -> await(call, id, m.string(2));
      case "Pids" -> pids(id);
      case "Pause" -> locked(id, () -> pause(id));
      case "Resume" -> locked(id, () -> resumeTask(call, id));
      case "Kill" -> kill(call, id, m.string(2), m.int32(3), m.bool(4));
      case "ResizePty" -> resize(id, m.string(2), m.int32(3), m.int32(4));
      case "CloseIO" -> closeIo(id, m.string(2), m.bool(3));
      case "Update" -> locked(id, () -> update(id, AnyValue.read(m.message(2))));
      case "Stats" -> stats(id);
      case "Connect" -> connect(id);
      case "Shutdown" -> shutdown();
      case "Checkpoint" -> locked(id, () -> checkpoint(call));
      default -> throw RpcException.unimplemented("method " + method);
    };
  }

  private static String key(String id, String execId) {
    return execId.isEmpty() ? id : id + "/" + execId;
  }

  /// One request at a time changes a process.
  private byte[] locked(String key, Supplier<byte[]> step) {
    return turns.take(key, step);
  }

  private TaskProcess init(String id) {
    return pod.find(id, "")
        .filter(p -> p.isCreated && !p.isDeleted)
        .orElseThrow(() -> RpcException.notFound("container not created"));
  }

  private TaskProcess process(String id, String execId) {
    TaskProcess init = init(id);
    if (execId.isEmpty()) return init;
    return pod.find(id, execId)
        .filter(p -> !p.isDeleted)
        .orElseThrow(() -> RpcException.notFound("process does not exist " + execId));
  }

  private byte[] create(Call call) {
    CreateTask request = CreateTask.read(call.payload());
    creations.incrementAndGet();
    String id = request.id();
    TaskProcess before = pod.find(id, "").orElse(null);
    if (before != null && before.isCreated && !before.isDeleted) {
      if (!call.isReplayed()) throw RpcException.exists("container " + id);
      stdio(before).settle();
      return new ProtoWriter().uint32(1, before.pid).toBytes();
    }
    RuncOptions options = RuncOptions.read(request.options(), TaskService::optionsFile);
    String root = containers.root(options);
    if (before != null) {
      if (!before.isDeleted) undoContainer(before);
      pod.record(Line.of(Line.What.FORGOTTEN, id, ""));
    }
    Line line =
        Line.of(Line.What.CREATE, id, "")
            .with("bundle", request.bundle())
            .with("root", root)
            .with("rootfs", TaskProcess.json(request.rootfs()))
            .with("stdin", request.stdio().stdin())
            .with("stdout", request.stdio().stdout())
            .with("stderr", request.stdio().stderr())
            .with("terminal", request.stdio().terminal())
            .with("ioUid", options.ioUid())
            .with("ioGid", options.ioGid());
    if (!request.checkpoint().isEmpty())
      line =
          line.with("checkpoint", request.checkpoint())
              .with("criuWork", options.criuWorkPath())
              .with("noPivotRoot", options.noPivotRoot())
              .with("systemdCgroup", options.systemdCgroup());
    // of one that is begun again the streams are kept: to its client nothing has happened
    if (before != null && !before.isDeleted) pod.record(line.with("place", before.place()));
    else recordPlaced(line);
    TaskProcess process = pod.find(id, "").orElseThrow();
    try {
      return create(request, options, process);
    } catch (RuntimeException e) {
      try {
        undo(process);
        pod.record(Line.of(Line.What.FORGOTTEN, id, ""));
      } catch (RuntimeException again) {
        e.addSuppressed(again);
      }
      throw failed("OCI runtime create failed", e);
    }
  }

  private static String optionsFile(String path) {
    try {
      return Files.readString(Path.of(path));
    } catch (IOException e) {
      throw new UncheckedIOException("reading the runtime options " + path + ": " + e, e);
    }
  }

  private byte[] create(CreateTask request, RuncOptions options, TaskProcess process) {
    containers.noteFor(request.bundle(), process.root(), state.socket());
    containers.joinShimCgroup(options, keeper, state.pid());
    Stdio stdio = stdio(process);
    try (HelperKernel worker = workers.fork();
        MaybeLogger logger = logger(process)) {
      if (!options.binaryName().isEmpty())
        warn(worker, "BinaryName " + options.binaryName() + " is ignored: jrun is its own runtime");
      new RootfsMounts(worker, request.bundle() + "/rootfs")
          .mount(request.rootfs(), ids -> containers.mappingNamespace(worker, ids));
      if (process.isOfCheckpoint()) { // start makes it
        pod.record(Line.of(Line.What.CREATED, process.id, ""));
        return new ProtoWriter().toBytes();
      }
      stdio.giveTo(worker, logger.logger());
      logger.close();
      Supervised made = containers.create(worker, request, options);
      // before it is made for good, since a terminal whose relay is missing would not get one
      if (made.terminal() != null) relay(process, stdio, made.terminal());
      // init's parent is the worker until that ends: no exit of its pid so far is its own
      pod.record(
          Line.of(Line.What.CREATED, process.id, "")
              .with("pid", made.pid())
              .with("start", made.startTime())
              .with("exits", pod.exitsBefore()));
      stdio.settle();
      watchOom(process);
      return new ProtoWriter().uint32(1, made.pid()).toBytes();
    }
  }

  /// Into the shim's log, which a worker has as its standard error at first.
  private static void warn(HelperKernel worker, String message) {
    String line =
        "time=\"" + Instant.now() + "\" level=warning msg=" + Json.of(message).toText() + "\n";
    Batch batch = new Batch();
    batch.attempt(new FileCall.Write(Descriptor.STDERR, line.getBytes(StandardCharsets.UTF_8)));
    worker.run(batch);
  }

  /// A logger where one is wanted.
  private record MaybeLogger(@Nullable Logger logger) implements AutoCloseable {
    @Override
    public void close() {
      if (logger != null) logger.close();
    }
  }

  private MaybeLogger logger(TaskProcess process) {
    if (!Logger.isWanted(process.stdio().stdout())) return new MaybeLogger(null);
    Logger logger =
        Logger.start(
            kernel,
            keeper,
            process.stdio().stdout(),
            containers.namespace(),
            process.id,
            pid -> recordRelay(process, pid));
    return new MaybeLogger(logger);
  }

  private void relay(TaskProcess process, Stdio stdio, OwnedDescriptor terminal) {
    try (OwnedDescriptor master = terminal) {
      stdio.relay(master, pid -> recordRelay(process, pid));
    }
  }

  private void recordRelay(TaskProcess process, int pid) {
    pod.record(
        Line.of(Line.What.RELAY, process.id, process.execId)
            .with("pid", pid)
            .with("exits", pod.exitsBefore()));
  }

  private void recordPlaced(Line line) {
    if (!pod.recordPlaced(line, Keeper.FIRST_PLACE, Keeper.PLACES, Stdio.PLACES))
      throw new RpcException(StatusCode.RESOURCE_EXHAUSTED, "too many processes in one pod");
  }

  private Stdio stdio(TaskProcess process) {
    return new Stdio(kernel, keeper, process.stdio(), process.stdioOwner(), process.place());
  }

  /// Takes away what a create began.
  private void undo(TaskProcess process) {
    undoContainer(process);
    stdio(process).release();
  }

  private void undoContainer(TaskProcess process) {
    try (LazyWorker worker = containers.worker()) {
      containers.delete(worker, process);
      if (!process.rootfs().isEmpty())
        new RootfsMounts(worker, process.bundle() + "/rootfs").unmount();
    }
  }

  private static RuntimeException failed(String what, RuntimeException e) {
    return e instanceof ContainerException
            || e instanceof KernelException
            || e instanceof CgroupException
            || e instanceof io.jrun.specs.json.SpecException
        ? RpcException.unknown(what + ": " + e.getMessage())
        : e;
  }

  private byte[] exec(Call call) {
    ExecTask request = ExecTask.read(call.payload());
    TaskProcess init = init(request.id());
    checkIsMade(init, "exec in");
    checkIsRunning(init);
    TaskProcess before = pod.find(request.id(), request.execId()).orElse(null);
    if (before != null && !before.isDeleted) {
      if (call.isReplayed()) return EMPTY;
      throw RpcException.exists("id " + request.execId());
    }
    if (containers.status(init) == Status.PAUSED)
      throw RpcException.unknown("cannot exec in a paused state");
    recordPlaced(
        Line.of(Line.What.EXEC, request.id(), request.execId())
            .with("bundle", init.bundle())
            .with("root", init.root())
            .with("stdin", request.stdio().stdin())
            .with("stdout", request.stdio().stdout())
            .with("stderr", request.stdio().stderr())
            .with("terminal", request.stdio().terminal())
            .with("ioUid", init.stdioOwner().uid())
            .with("ioGid", init.stdioOwner().gid())
            .with("spec", new String(request.process(), StandardCharsets.UTF_8)));
    return EMPTY;
  }

  private byte[] start(Call call, String id, String execId) {
    TaskProcess process = process(id, execId);
    if (process.isStarted && call.isReplayed()) return started(process); // and settled before
    if (process.isStarted || process.hasExited && !call.isReplayed())
      throw RpcException.unknown(
          process.hasExited
              ? "cannot start a container that has stopped"
              : "cannot start an already running process");
    if (process.isStarting && hasStarted(process)) { // since an engine before
      recordStarted(process);
      return started(process);
    }
    if (!execId.isEmpty()) return startExec(process);
    return process.isOfCheckpoint() ? restore(process) : startInit(process);
  }

  private byte[] restore(TaskProcess process) {
    process.reaped = null;
    pod.record(Line.of(Line.What.STARTING, process.id, ""));
    Stdio stdio = stdio(process);
    try (HelperKernel worker = workers.fork();
        MaybeLogger logger = logger(process)) {
      stdio.giveTo(worker, logger.logger());
      logger.close();
      checkpoints.restore(
          worker, process, master -> stdio.relay(master, pid -> recordRelay(process, pid)));
    } catch (RuntimeException e) {
      stdio.settle();
      pod.record(Line.of(Line.What.FAILED, process.id, ""));
      throw failed("OCI runtime restore failed", e);
    }
    recordStarted(process);
    watchOom(process);
    return started(process);
  }

  private byte[] checkpoint(Call call) {
    CheckpointTask request = CheckpointTask.read(call.payload());
    try {
      checkpoints.save(call, init(request.id()), request);
    } catch (RuntimeException e) {
      throw failed("checkpoint", e);
    }
    return EMPTY;
  }

  private static byte[] started(TaskProcess process) {
    return new ProtoWriter().uint32(1, process.pid).toBytes();
  }

  private void recordStarted(TaskProcess process) {
    // before the end may be told; what was made at create needs them no more
    if (!process.isInit() || process.isOfCheckpoint()) stdio(process).settle();
    pod.record(Line.of(Line.What.STARTED, process.id, process.execId));
    pod.settle();
  }

  /// Whether a process that an engine before was starting has become its program, which the kernel
  /// tells also of one that has ended. A worker that its engine has left ends, and the process with
  /// it, unless that has become its program.
  private boolean hasStarted(TaskProcess process) {
    if (process.hasNotStarted) return false;
    if (process.isInit() && process.isOfCheckpoint()) return checkpoints.isRestored(process);
    if (process.isInit() && process.reaped == null) {
      Status status = containers.status(process);
      return status != Status.CREATED && status != Status.CREATING;
    }
    if (process.pid == 0) return false;
    HostProcess host = new HostProcess(kernel, process.pid, process.startTime);
    pod.await(
        () -> process.reaped != null || host.hasExecuted(), process.isInit() ? 0 : DECIDE_MILLIS);
    return process.reaped == null ? host.hasExecuted() : process.reaped.executed();
  }

  private byte[] startInit(TaskProcess process) {
    pod.record(Line.of(Line.What.STARTING, process.id, ""));
    try (LazyWorker worker = containers.worker()) {
      containers.start(worker, process);
    } catch (RuntimeException e) {
      pod.record(Line.of(Line.What.FAILED, process.id, ""));
      pod.settle();
      throw failed("OCI runtime start failed", e);
    }
    recordStarted(process);
    return started(process);
  }

  private byte[] startExec(TaskProcess process) {
    checkIsRunning(init(process.id));
    process.reaped = null;
    pod.record(Line.of(Line.What.STARTING, process.id, process.execId));
    Stdio stdio = stdio(process);
    try (HelperKernel worker = workers.fork();
        MaybeLogger logger = logger(process)) {
      stdio.giveTo(worker, logger.logger());
      logger.close();
      containers.exec(worker, process, born -> born(process, stdio, born));
    } catch (RuntimeException e) {
      stdio.settle();
      pod.record(Line.of(Line.What.FAILED, process.id, process.execId));
      pod.settle();
      throw failed("OCI runtime exec failed", e);
    }
    recordStarted(process);
    return started(process);
  }

  /// The process is there, a child of the worker, and not yet its program.
  private void born(TaskProcess process, Stdio stdio, Supervised born) {
    pod.record(
        Line.of(Line.What.BORN, process.id, process.execId)
            .with("pid", born.pid())
            .with("start", born.startTime())
            .with("exits", pod.exitsBefore()));
    if (born.terminal() != null) relay(process, stdio, born.terminal());
  }

  /// The end of a container's init is the end of the container: without a pid namespace of its own
  /// the kernel does not see to that.
  void endOthers(TaskProcess init) {
    try {
      if (containers.hasPidNamespace(init)) return;
      containers.cgroup(init).signal(SIGKILL);
    } catch (RuntimeException e) {
      System.err.println("jrun: ending what is left of " + init.id + ": " + e.getMessage());
    }
  }

  private byte[] delete(String id, String execId) {
    TaskProcess process = pod.find(id, execId).orElse(null);
    if (process != null && process.isDeleted) return deleted(process);
    process = process(id, execId);
    giveUp(process);
    if (process.isLive() && process.isStarted)
      throw RpcException.unknown("cannot delete a running process " + name(process));
    if (process.isInit() && !process.hasExited) end(process);
    drain(process);
    if (process.isInit()) {
      undo(process);
      for (TaskProcess exec : pod.all(p -> p.id.equals(id))) stdio(exec).release();
    } else {
      stdio(process).release();
    }
    pod.record(Line.of(Line.What.DELETED, id, execId));
    return deleted(process);
  }

  /// Ends an init that never was started.
  private void end(TaskProcess process) {
    if (process.pid == 0) return;
    new HostProcess(kernel, process.pid, process.startTime).signal(SIGKILL);
    TaskProcess ending = process;
    pod.await(() -> ending.hasExited, END_MILLIS);
  }

  /// Lets what is still to be copied arrive.
  private void drain(TaskProcess process) {
    if (process.relayPid == 0) return;
    boolean logs = Logger.isWanted(process.stdio().stdout());
    if (logs && !process.relayEnded) signal(process.relayPid, SIGTERM);
    if (!pod.await(() -> process.relayEnded, logs ? LOGGER_MILLIS : END_MILLIS))
      signal(process.relayPid, SIGKILL);
  }

  private void signal(int pid, int signal) {
    HostProcess.of(kernel, pid).signal(signal);
  }

  private static String name(TaskProcess process) {
    return process.isInit() ? process.id : process.execId;
  }

  private static byte[] deleted(TaskProcess process) {
    Instant at = process.exitedAt == null ? Instant.EPOCH : process.exitedAt;
    ProtoWriter writer = new ProtoWriter().uint32(1, process.pid).uint32(2, process.exitStatus);
    return process.exitedAt == null ? writer.toBytes() : writer.timestamp(3, at).toBytes();
  }

  /// An answer has been handed over and cannot be lost any more.
  void answered(Call call) {
    if (call.request().method().equals("Shutdown")) noteShutdown();
    if (!call.request().method().equals("Delete")) return;
    ProtoMessage m = ProtoMessage.parse(call.payload());
    pod.find(m.string(1), m.string(2))
        .filter(p -> p.isDeleted)
        .ifPresent(p -> pod.record(Line.of(Line.What.FORGOTTEN, p.id, p.execId)));
  }

  private byte @Nullable [] await(Call call, String id, String execId) {
    byte[][] now = {null};
    pod.whenEnded(process(id, execId), call, process -> now[0] = exit(process));
    return now[0];
  }

  /// WaitResponse.
  static byte[] exit(TaskProcess process) {
    ProtoWriter writer = new ProtoWriter().uint32(1, process.exitStatus);
    return process.exitedAt == null
        ? writer.toBytes()
        : writer.timestamp(2, process.exitedAt).toBytes();
  }

  private byte[] state(String id, String execId) {
    TaskProcess p = process(id, execId);
    TaskStatus status =
        p.hasExited || p.hasFailed && !p.isInit()
            ? TaskStatus.STOPPED
            : p.isInit() && isPaused(p)
                ? TaskStatus.PAUSED
                : p.isStarted ? TaskStatus.RUNNING : TaskStatus.CREATED;
    return new TaskState(id, p.bundle(), p.pid, status, p.stdio(), p.exitStatus, p.exitedAt, execId)
        .toBytes();
  }

  private boolean isPaused(TaskProcess init) {
    return init.isPaused && containers.status(init) == Status.PAUSED;
  }

  /// Of a task that has ended its init alone: containerd 2 deletes one without any process when it
  /// comes back, and with it the exit status, of which it has not heard yet (decision 67).
  private byte[] pids(String id) {
    TaskProcess init = init(id);
    ProtoWriter writer = new ProtoWriter();
    if (init.pid == 0) return writer.toBytes();
    if (init.hasExited) return writer.message(1, new ProtoWriter().uint32(1, init.pid)).toBytes();
    var execs = pod.all(p -> p.id.equals(id) && !p.isInit());
    for (int pid : containers.cgroup(init).pids()) {
      ProtoWriter info = new ProtoWriter().uint32(1, pid);
      for (TaskProcess exec : execs)
        if (exec.pid == pid)
          info.message(
              2,
              new AnyValue(
                      "containerd.runc.v1.ProcessDetails",
                      new ProtoWriter().string(1, exec.execId).toBytes())
                  .toProto());
      writer.message(1, info);
    }
    return writer.toBytes();
  }

  /// One of a checkpoint is made when it is started.
  private static void checkIsMade(TaskProcess init, String what) {
    if (init.pid == 0) throw RpcException.unknown("cannot " + what + " a task in created state");
  }

  private byte[] pause(String id) {
    TaskProcess init = running(id);
    checkIsMade(init, "pause");
    if (containers.status(init) != Status.PAUSED) containers.pause(init);
    if (!init.isPaused) pod.record(Line.of(Line.What.PAUSED, id, ""));
    return EMPTY;
  }

  private byte[] resumeTask(Call call, String id) {
    TaskProcess init = init(id);
    if (containers.status(init) == Status.PAUSED) containers.resume(init);
    else if (!init.isPaused && !call.isReplayed())
      throw RpcException.unknown("cannot resume a container that is not paused");
    if (init.isPaused) pod.record(Line.of(Line.What.RESUMED, id, ""));
    return EMPTY;
  }

  private TaskProcess running(String id) {
    TaskProcess init = init(id);
    checkIsRunning(init);
    return init;
  }

  static void checkIsRunning(TaskProcess init) {
    if (init.hasExited || init.reaped != null)
      throw RpcException.precondition("container " + init.id + " init process is not running");
  }

  private byte[] kill(Call call, String id, String execId, int signal, boolean all) {
    TaskProcess process = process(id, execId);
    if (process.isInit() && all) {
      containers
          .findCgroup(process)
          .orElseThrow(() -> RpcException.notFound("process already finished"))
          .signal(signal);
      return EMPTY;
    }
    if (process.pid == 0) throw RpcException.precondition("process not created");
    if (process.hasExited || process.reaped != null) {
      if (call.isReplayed()) return EMPTY; // it may be what the signal has done
      throw RpcException.notFound("process already finished");
    }
    HostProcess host = new HostProcess(kernel, process.pid, process.startTime);
    if (!host.signal(signal)) throw RpcException.notFound("process already finished");
    // a frozen process would not end
    if (process.isInit() && signal == SIGKILL && process.isPaused) containers.thaw(process);
    return EMPTY;
  }

  private byte[] resize(String id, String execId, int width, int height) {
    TaskProcess process = process(id, execId);
    if (!process.stdio().terminal() || process.pid == 0 || process.hasExited) return EMPTY;
    ByteBuffer size = ByteBuffer.allocate(8).order(ByteOrder.nativeOrder());
    size.putShort((short) height).putShort((short) width);
    try (HelperKernel worker = workers.forkSeeing()) {
      worker.call(
          new FileCall.IoctlWrite(stdio(process).terminal(), FileCall.TIOCSWINSZ, size.array()));
    } catch (KernelException e) {
      throw RpcException.unknown("resizing the terminal: " + e.getMessage());
    }
    return EMPTY;
  }

  private byte[] closeIo(String id, String execId, boolean stdin) {
    TaskProcess process = process(id, execId);
    if (stdin) stdio(process).closeInput();
    return EMPTY;
  }

  private byte[] update(String id, AnyValue resources) {
    containers.update(running(id), (JsonObject) Json.parse(resources.value()));
    return EMPTY;
  }

  private byte[] stats(String id) {
    TaskProcess init = init(id);
    Cgroup cgroup =
        (init.pid == 0 ? Optional.<Cgroup>empty() : containers.findCgroup(init))
            .orElseThrow(() -> RpcException.notFound("cgroup does not exist"));
    return new ProtoWriter().message(1, CgroupMetrics.read(cgroup.values()).toProto()).toBytes();
  }

  private byte[] connect(String id) {
    int pid = pod.find(id, "").filter(p -> !p.isDeleted).map(p -> p.pid).orElse(0);
    return new ProtoWriter().uint32(1, state.pid()).uint32(2, pid).string(3, "").toBytes();
  }

  /// Takes effect once that is answered, and only where no container is left. An engine that takes
  /// over is not told again, so it is written down.
  private byte[] shutdown() {
    forgetUnasked();
    if (pod.all(TaskProcess::isInit).isEmpty()) pod.record(Line.of(Line.What.SHUTDOWN, "", ""));
    return EMPTY;
  }

  boolean isShutDown() {
    return isShutDown;
  }

  /// What is written down about a Shutdown holds from now on: nobody waits for its answer.
  void noteShutdown() {
    isShutDown = pod.isShutDown();
  }

  /// How many tasks there have been, as far as this engine knows; negative while there is one.
  long tasksBefore() {
    return pod.all(TaskProcess::isInit).isEmpty() ? creations.get() : -1;
  }

  /// As a Shutdown that containerd has not asked for.
  void shutDownUnasked() {
    shutdown();
    noteShutdown();
  }

  /// What is under way finds its keeper gone.
  @Override
  public void close() {
    isClosed = true; // what was begun the next engine finds as this one did
    unasked.clear();
    watchings.values().forEach(OomWatcher.Watching::close);
    watchings.clear();
  }
}

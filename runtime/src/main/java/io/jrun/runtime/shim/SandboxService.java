package io.jrun.runtime.shim;

import io.jrun.image.PlatformChoice;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Undoing;
import io.jrun.kernel.wire.KeeperState;
import io.jrun.runtime.container.Supervised;
import io.jrun.specs.json.Json;
import io.jrun.specs.json.Json.JsonObject;
import io.jrun.specs.proto.ProtoMessage;
import io.jrun.specs.proto.ProtoWriter;
import io.jrun.specs.runtime.Namespace;
import io.jrun.specs.runtime.NamespaceType;
import io.jrun.specs.sandbox.CreateSandbox;
import io.jrun.specs.task.AnyValue;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// `containerd.runtime.sandbox.v1.Sandbox`: the pod itself, whose pause process is jrun's own. In
/// the journal that process is one like the init of a task, of which no events are told: containerd
/// waits for its end.
///
/// ```
///   CreateSandbox ─▶ the pause process is made, and pauses    CREATE, CREATED
///   StartSandbox  ─▶ its pid is told                          STARTED
///   StopSandbox   ─▶ all of the pod ends                      EXITED
///   ShutdownSandbox ─▶ all of the pod is deleted, the keeper ends   DELETED, FORGOTTEN, SHUTDOWN
/// ```
final class SandboxService {
  static final String NAME = "containerd.runtime.sandbox.v1.Sandbox";

  private static final String FAILED = "sandbox create failed";

  private static final String SPEC = "types.containerd.io/opencontainers/runtime-spec/1/Spec";
  private static final byte[] EMPTY = {};
  private static final long END_MILLIS = 10_000;

  private final KeeperState state;
  private final Pod pod;
  private final Turns turns;
  private final Workers workers;
  private final ShimContainers containers;
  private final TaskInfo info;
  private final TaskDeletion deletion;
  private final PodEnd end;

  SandboxService(
      KeeperState state,
      Pod pod,
      Turns turns,
      Workers workers,
      ShimContainers containers,
      TaskInfo info,
      TaskDeletion deletion,
      PodEnd end) {
    this.state = state;
    this.pod = pod;
    this.turns = turns;
    this.workers = workers;
    this.containers = containers;
    this.info = info;
    this.deletion = deletion;
    this.end = end;
  }

  /// The answer; null for one that comes later.
  byte @Nullable [] perform(Call call) {
    ProtoMessage m = call.message();
    String id = call.id();
    String key = TaskProcess.key(id, "");
    return switch (call.method()) {
      case "CreateSandbox" -> {
        end.creating();
        yield turns.take(key, () -> create(call));
      }
      case "StartSandbox" -> turns.take(key, () -> start(id));
      case "Platform" -> platform();
      case "StopSandbox" -> turns.take(key, () -> stop(id, m.int32(2)));
      case "WaitSandbox" -> info.await(call, pod.sandbox(id));
      case "SandboxStatus" -> status(pod.sandbox(id), m.bool(2));
      case "PingSandbox" -> {
        TaskProcess _ = pod.sandbox(id);
        yield EMPTY;
      }
      case "ShutdownSandbox" -> shutDown(id, key);
      case "SandboxMetrics" -> metrics(pod.sandbox(id));
      default -> throw RpcException.unimplemented("method " + call.method());
    };
  }

  private byte[] create(Call call) {
    CreateSandbox request = CreateSandbox.read(call.payload());
    TaskCreation.checkId(request.id(), FAILED);
    TaskProcess before = pod.find(request.id(), "").orElse(null);
    if (before != null && before.isCreated && !before.isDeleted) {
      if (!call.isReplayed() || !before.isSandbox())
        throw RpcException.exists("sandbox " + request.id());
      return EMPTY;
    }
    PodPause pause = PodPause.of(request, containers.namespace());
    if (before != null) {
      if (!before.isDeleted) deletion.undo(before);
      pod.forget(before);
    }
    pod.record(
        Line.of(Line.What.CREATE, request.id(), "")
            .with("sandbox", true)
            .with("bundle", request.bundle())
            .with("root", containers.root()));
    TaskProcess process = pod.find(request.id(), "").orElseThrow();
    try {
      containers.noteFor(request.bundle(), process.root(), state.socket());
      try (HelperKernel worker = workers.fork()) {
        Supervised made = containers.createSandbox(worker, request, pause);
        pod.recordBorn(process, Line.What.CREATED, made.pid(), made.startTime());
      }
      return EMPTY;
    } catch (RuntimeException e) {
      Undoing.suppressing(e, () -> deletion.undoWhole(process));
      throw RpcException.of(FAILED, e);
    }
  }

  private byte[] start(String id) {
    TaskProcess sandbox = pod.sandbox(id);
    if (sandbox.hasExited || sandbox.reaped != null)
      throw RpcException.precondition("the pause process of " + id + " has ended");
    if (!sandbox.isStarted) pod.record(sandbox.line(Line.What.STARTED));
    ProtoWriter writer = new ProtoWriter().uint32(1, sandbox.pid).timestamp(2, sandbox.createdAt());
    // plugins of NRI know a pod's cgroup and namespaces by it, since containerd 2.3
    spec(sandbox)
        .map(json -> json.toText("").getBytes(StandardCharsets.UTF_8))
        .ifPresent(json -> writer.message(3, new AnyValue(SPEC, json).toProto()));
    return writer.toBytes();
  }

  private static byte[] platform() {
    ProtoWriter platform =
        new ProtoWriter().string(1, "linux").string(2, PlatformChoice.hostArchitecture());
    return new ProtoWriter().message(1, platform).toBytes();
  }

  /// @param seconds for the containers to end by themselves
  private byte[] stop(String id, int seconds) {
    TaskProcess sandbox = pod.sandbox(id);
    if (sandbox.hasExited) return EMPTY;
    containers.stopSandbox(sandbox, seconds);
    if (!pod.await(() -> sandbox.hasExited, END_MILLIS))
      throw RpcException.unknown("the pause process of " + id + " does not end");
    return EMPTY;
  }

  /// Whatever is left of the pod goes with it; that it is not there, or no more, is no error.
  private byte[] shutDown(String id, String key) {
    TaskProcess sandbox = pod.find(id, "").filter(TaskProcess::isSandbox).orElse(null);
    if (sandbox != null) {
      for (TaskProcess task : pod.all(p -> p.isInit() && !p.isSandbox()))
        turns.take(task.key(), () -> deletion.force(task));
      turns.take(key, () -> deletion.force(sandbox));
    }
    end.shutDown();
    return EMPTY;
  }

  private byte[] status(TaskProcess sandbox, boolean isVerbose) {
    boolean isReady = sandbox.isStarted && !sandbox.hasExited;
    ProtoWriter writer =
        new ProtoWriter()
            .string(1, sandbox.id)
            .uint32(2, sandbox.pid)
            .string(3, isReady ? "SANDBOX_READY" : "SANDBOX_NOTREADY");
    if (isVerbose) writer.stringMap(4, Map.of("info", verbose(sandbox, isReady).toText("")));
    writer.timestamp(5, sandbox.createdAt());
    Instant exited = sandbox.exitedAt;
    return exited == null ? writer.toBytes() : writer.timestamp(6, exited).toBytes();
  }

  /// By the names that containerd's own sandboxes have, for `crictl inspectp`.
  private JsonObject verbose(TaskProcess sandbox, boolean isReady) {
    JsonObject json =
        JsonObject.EMPTY
            .with("pid", Json.of(sandbox.pid))
            .with("processStatus", Json.of(isReady ? "running" : "stopped"));
    return spec(sandbox).map(spec -> json.with("runtimeSpec", spec)).orElse(json);
  }

  /// As it was made, but for the path of a user namespace, which led by way of the engine.
  private Optional<JsonObject> spec(TaskProcess sandbox) {
    return containers
        .config(sandbox)
        .map(config -> {
          List<Namespace> namespaces =
              config.linux().namespaces().stream()
                  .map(n -> n.type() == NamespaceType.USER ? usersOf(sandbox) : n)
                  .toList();
          return config.withLinux(config.linux().withNamespaces(namespaces)).toJson();
        });
  }

  private static Namespace usersOf(TaskProcess sandbox) {
    return Namespace.joined(NamespaceType.USER, "/proc/" + sandbox.pid + "/ns/user");
  }

  private byte[] metrics(TaskProcess sandbox) {
    ProtoWriter metric =
        new ProtoWriter()
            .timestamp(1, Instant.now())
            .string(2, sandbox.id)
            .message(3, info.metrics(sandbox).toProto());
    return new ProtoWriter().message(1, metric).toBytes();
  }
}

package io.jrun.runtime.shim;

import io.jrun.specs.proto.ProtoWriter;
import io.jrun.specs.task.RootfsMount;
import io.jrun.specs.task.StdioPaths;
import io.jrun.specs.ttrpc.TtrpcRequest;
import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// An event for containerd.
///
/// @param type of the message, without its package
record PodEvent(Instant at, String topic, String type, byte[] message) {
  private static final String PACKAGE = "containerd.events.";
  private static final String SERVICE = "containerd.services.events.ttrpc.v1.Events";

  /// What a line has to tell; null for nothing, as of a pod's own pause process.
  ///
  /// @param process that it is about, as it is now
  static @Nullable PodEvent of(Line line, TaskProcess process) {
    if (process.isSandbox()) return null;
    ProtoWriter w = new ProtoWriter();
    String id = process.id;
    boolean init = process.isInit();
    return switch (line.what()) {
      case CREATED -> of(line, "create", "TaskCreate", create(process));
      case STARTED ->
          init
              ? of(line, "start", "TaskStart", w.string(1, id).uint32(2, process.pid))
              : of(
                  line,
                  "exec-started",
                  "TaskExecStarted",
                  w.string(1, id).string(2, process.execId).uint32(3, process.pid));
      case EXEC ->
          of(line, "exec-added", "TaskExecAdded", w.string(1, id).string(2, process.execId));
      case EXITED ->
          of(
              line,
              "exit",
              "TaskExit",
              w.string(1, id)
                  .string(2, init ? id : process.execId)
                  .uint32(3, process.pid)
                  .uint32(4, line.int32("status"))
                  .timestamp(5, line.time("exitedAt")));
      case DELETED ->
          init
              ? of(
                  line,
                  "delete",
                  "TaskDelete",
                  w.string(1, id)
                      .uint32(2, process.pid)
                      .uint32(3, process.exitStatus)
                      .timestamp(4, process.exitedAt == null ? line.time("at") : process.exitedAt))
              : null;
      case PAUSED -> of(line, "paused", "TaskPaused", w.string(1, id));
      case RESUMED -> of(line, "resumed", "TaskResumed", w.string(1, id));
      case OOM -> of(line, "oom", "TaskOOM", w.string(1, id));
      case CHECKPOINTED ->
          of(
              line,
              "checkpointed",
              "TaskCheckpointed",
              w.string(1, id).string(2, line.text("path")));
      case BASE,
          CREATE,
          STARTING,
          BORN,
          FAILED,
          RELAY,
          INPUT_CLOSED,
          CRIU,
          CHECKPOINTING,
          SAVED,
          UNSAVED,
          FORGOTTEN,
          SHUTDOWN ->
          null;
    };
  }

  private static PodEvent of(Line line, String topic, String type, ProtoWriter message) {
    return new PodEvent(line.time("at"), "/tasks/" + topic, type, message.toBytes());
  }

  private static ProtoWriter create(TaskProcess process) {
    ProtoWriter w = new ProtoWriter().string(1, process.id).string(2, process.bundle());
    for (RootfsMount mount : process.rootfs()) w.message(3, mount.toProto());
    StdioPaths io = process.stdio();
    return w.message(
            4,
            new ProtoWriter()
                .string(1, io.stdin())
                .string(2, io.stdout())
                .string(3, io.stderr())
                .bool(4, io.terminal()))
        .string(5, process.checkpoint())
        .uint32(6, process.pid);
  }

  /// The call that publishes it.
  TtrpcRequest toRequest(String namespace) {
    ProtoWriter any = new ProtoWriter().string(1, PACKAGE + type).bytes(2, message);
    ProtoWriter envelope =
        new ProtoWriter().timestamp(1, at).string(2, namespace).string(3, topic).message(4, any);
    return new TtrpcRequest(
        SERVICE,
        "Forward",
        new ProtoWriter().message(1, envelope).toBytes(),
        0,
        Map.of("containerd-namespace-ttrpc", namespace));
  }
}

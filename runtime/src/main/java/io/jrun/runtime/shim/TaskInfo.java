package io.jrun.runtime.shim;

import io.jrun.kernel.wire.KeeperState;
import io.jrun.runtime.cgroup.Cgroup;
import io.jrun.runtime.shim.metrics.CgroupMetrics;
import io.jrun.specs.proto.ProtoWriter;
import io.jrun.specs.runtime.Status;
import io.jrun.specs.task.AnyValue;
import io.jrun.specs.task.TaskState;
import io.jrun.specs.task.TaskStatus;
import java.util.Collection;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The answers to what is asked about tasks.
final class TaskInfo {
  private final KeeperState state;
  private final Pod pod;
  private final ShimContainers containers;

  TaskInfo(KeeperState state, Pod pod, ShimContainers containers) {
    this.state = state;
    this.pod = pod;
    this.containers = containers;
  }

  byte[] state(TaskProcess p) {
    return new TaskState(
            p.name(), p.bundle(), p.pid, status(p), p.stdio(), p.exitStatus, p.exitedAt, p.execId)
        .toBytes();
  }

  private TaskStatus status(TaskProcess p) {
    if (p.hasExited || p.hasFailed && !p.isInit()) return TaskStatus.STOPPED;
    TaskProcess init = p.isInit() ? p : pod.task(p.id);
    if ((p.isInit() || p.isStarted) && init.isPaused && containers.status(init) == Status.PAUSED)
      return TaskStatus.PAUSED;
    return p.isStarted ? TaskStatus.RUNNING : TaskStatus.CREATED;
  }

  /// Of a task that has ended its init alone: containerd 2 deletes one without any process when it
  /// comes back, and with it the exit status, of which it has not heard yet (decision 67).
  byte[] pids(TaskProcess init) {
    ProtoWriter writer = new ProtoWriter();
    if (init.pid == 0) return writer.toBytes();
    if (init.hasExited) return writer.message(1, new ProtoWriter().uint32(1, init.pid)).toBytes();
    Collection<TaskProcess> execs = pod.all(p -> p.id.equals(init.id) && !p.isInit());
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

  byte[] stats(TaskProcess init) {
    return new ProtoWriter().message(1, metrics(init).toProto()).toBytes();
  }

  AnyValue metrics(TaskProcess init) {
    Cgroup cgroup =
        (init.pid == 0 ? Optional.<Cgroup>empty() : containers.findCgroup(init))
            .orElseThrow(() -> RpcException.notFound("cgroup does not exist"));
    return CgroupMetrics.read(cgroup.values());
  }

  /// Of a task that is there or not.
  byte[] connect(String id) {
    int pid = pod.find(id, "").filter(p -> !p.isDeleted).map(p -> p.pid).orElse(0);
    return new ProtoWriter().uint32(1, state.pid()).uint32(2, pid).string(3, "").toBytes();
  }

  /// Null where the process has not ended: [Pod.Listener#ended] tells then whom to answer.
  byte @Nullable [] await(Call call, TaskProcess process) {
    byte[][] now = {null};
    pod.whenEnded(process, call, ended -> now[0] = exit(ended));
    return now[0];
  }

  /// WaitResponse.
  static byte[] exit(TaskProcess process) {
    ProtoWriter writer = new ProtoWriter().uint32(1, process.exitStatus);
    return process.exitedAt == null
        ? writer.toBytes()
        : writer.timestamp(2, process.exitedAt).toBytes();
  }
}

package io.jrun.runtime.shim;

import io.jrun.kernel.Kernel;
import io.jrun.kernel.call.SignalCall;
import io.jrun.runtime.container.HostProcess;
import io.jrun.specs.proto.ProtoWriter;

/// Delete, and the undoing of what Create began.
final class TaskDeletion {
  private static final long END_MILLIS = 10_000;

  private final Kernel kernel;
  private final Pod pod;
  private final ShimContainers containers;
  private final TaskStreams streams;
  private final TaskStart start;

  TaskDeletion(
      Kernel kernel, Pod pod, ShimContainers containers, TaskStreams streams, TaskStart start) {
    this.kernel = kernel;
    this.pod = pod;
    this.containers = containers;
    this.streams = streams;
    this.start = start;
  }

  /// Whether Delete may have to wait for others.
  boolean mayWait(TaskProcess process) {
    return process.isInit() || streams.mayDrain(process);
  }

  /// The answer to Delete.
  byte[] delete(String id, String execId) {
    TaskProcess before = pod.find(id, execId).orElse(null);
    if (before != null && before.isDeleted) return answer(before);
    TaskProcess process = pod.process(id, execId);
    start.giveUp(process);
    if (process.isLive() && process.isStarted)
      throw RpcException.unknown("cannot delete a " + process.stage() + " process");
    if (process.isInit() && !process.hasExited) end(process);
    streams.drain(process);
    if (process.isInit()) {
      undo(process);
      for (TaskProcess exec : pod.all(p -> p.id.equals(id))) streams.release(exec);
    } else {
      streams.release(process);
    }
    pod.record(process.line(Line.What.DELETED));
    return answer(process);
  }

  /// Ends it and deletes it, whatever it is doing.
  void force(TaskProcess init) {
    if (init.isPaused) containers.thaw(init); // or it would not end
    if (!init.hasExited) end(init);
    if (init.isSandbox()) {
      undoContainer(init);
      pod.record(init.line(Line.What.DELETED));
    } else {
      delete(init.id, "");
    }
    pod.forget(init);
  }

  /// Ends an init by force.
  private void end(TaskProcess process) {
    if (process.pid == 0) return;
    new HostProcess(kernel, process.pid, process.startTime).signal(SignalCall.SIGKILL);
    pod.await(() -> process.hasExited, END_MILLIS);
  }

  private static byte[] answer(TaskProcess process) {
    ProtoWriter writer = new ProtoWriter().uint32(1, process.pid).uint32(2, process.exitStatus);
    return process.exitedAt == null
        ? writer.toBytes()
        : writer.timestamp(3, process.exitedAt).toBytes();
  }

  /// The answer cannot be lost any more.
  void answered(String id, String execId) {
    pod.find(id, execId).filter(p -> p.isDeleted).ifPresent(pod::forget);
  }

  /// Takes away what a create began.
  void undo(TaskProcess process) {
    undoContainer(process);
    if (!process.isSandbox()) streams.release(process);
  }

  /// The same, and there is no trace of it.
  void undoWhole(TaskProcess process) {
    undo(process);
    pod.forget(process);
  }

  /// As [#undo], but for the streams.
  void undoContainer(TaskProcess process) {
    try (LazyWorker worker = containers.worker()) {
      containers.delete(worker, process);
      if (!process.rootfs().isEmpty())
        new RootfsMounts(worker, process.bundle() + "/rootfs").unmount();
    }
  }
}

package io.jrun.runtime.shim;

import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.wire.Keeper;
import io.jrun.runtime.container.HostProcess;
import io.jrun.runtime.container.Supervised;
import io.jrun.specs.runtime.Status;

/// Start: of an init that was created, of one that is restored from a checkpoint, and of an exec'd
/// process.
final class TaskStart {
  private final Kernel kernel;
  private final Keeper keeper;
  private final Pod pod;
  private final Workers workers;
  private final ShimContainers containers;
  private final TaskStreams streams;
  private final Checkpoints checkpoints;
  private final OomReports oomReports;

  TaskStart(
      Kernel kernel,
      Keeper keeper,
      Pod pod,
      Workers workers,
      ShimContainers containers,
      TaskStreams streams,
      Checkpoints checkpoints,
      OomReports oomReports) {
    this.kernel = kernel;
    this.keeper = keeper;
    this.pod = pod;
    this.workers = workers;
    this.containers = containers;
    this.streams = streams;
    this.checkpoints = checkpoints;
    this.oomReports = oomReports;
  }

  /// The answer to Start.
  byte[] start(Call call, TaskProcess process) {
    if (process.isStarted && call.isReplayed()) return process.pidAnswer(); // and settled before
    if (process.isStarted || process.hasExited && !call.isReplayed())
      throw RpcException.unknown("cannot start a " + process.stage() + " process");
    if (process.isStarting && hasStarted(process)) recordStarted(process); // since an engine before
    else if (!process.isInit()) startExec(call, process);
    else if (process.isOfCheckpoint()) restore(call, process);
    else startInit(process);
    return process.pidAnswer();
  }

  private void startInit(TaskProcess process) {
    pod.record(process.line(Line.What.STARTING));
    try (LazyWorker worker = containers.worker()) {
      containers.start(worker, process);
    } catch (RuntimeException e) {
      recordFailed(process);
      throw RpcException.of("OCI runtime start failed", e);
    }
    recordStarted(process);
  }

  private void restore(Call call, TaskProcess process) {
    process.reaped = null;
    pod.record(process.line(Line.What.STARTING));
    try (HelperKernel worker = workers.fork()) {
      streams.giveTo(worker, process, call);
      checkpoints.restore(worker, process, master -> streams.relay(process, master, call));
    } catch (RuntimeException e) {
      streams.settle(process);
      pod.record(process.line(Line.What.FAILED));
      throw RpcException.of("OCI runtime restore failed", e);
    }
    recordStarted(process);
    oomReports.begin(process);
  }

  private void startExec(Call call, TaskProcess process) {
    pod.task(process.id).checkIsRunning();
    process.reaped = null;
    pod.record(process.line(Line.What.STARTING));
    try (HelperKernel worker = workers.fork()) {
      streams.giveTo(worker, process, call);
      containers.exec(worker, process, born -> born(call, process, born));
    } catch (RuntimeException e) {
      streams.settle(process);
      recordFailed(process);
      throw RpcException.of("OCI runtime exec failed", e);
    }
    recordStarted(process);
  }

  /// The process is there, a child of the worker, and not yet its program.
  private void born(Call call, TaskProcess process, Supervised born) {
    pod.recordBorn(process, Line.What.BORN, born.pid(), born.startTime());
    try (OwnedDescriptor terminal = born.terminal()) {
      if (terminal != null) streams.relay(process, terminal, call);
    }
  }

  private void recordStarted(TaskProcess process) {
    keeper.gather(); // until this is answered
    settleOwnStreams(process); // before the end may be told
    pod.record(process.line(Line.What.STARTED));
    pod.settle();
  }

  private void recordFailed(TaskProcess process) {
    pod.record(process.line(Line.What.FAILED));
    pod.settle();
  }

  /// What was made at create needs its streams no more.
  private void settleOwnStreams(TaskProcess process) {
    if (!process.isInit() || process.isOfCheckpoint()) streams.settle(process);
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
        () -> process.reaped != null || host.hasExecuted(),
        process.isInit() ? 0 : Pod.DECIDE_MILLIS);
    return process.reaped == null ? host.hasExecuted() : process.reaped.executed();
  }

  /// Finds out what has become of a start that an engine before had begun. That a process did not
  /// start is left to be found again by who asks.
  void decide(TaskProcess process) {
    if (!process.isStarting) return;
    if (hasStarted(process)) recordStarted(process);
    else process.hasNotStarted = true;
    keeper.sendGathered();
  }

  /// What did not start, and is not being started again, has failed: only so can its end be told,
  /// and behind it that of its container.
  void giveUp(TaskProcess process) {
    if (!process.isStarting || !process.hasNotStarted) return;
    settleOwnStreams(process);
    recordFailed(process);
  }
}

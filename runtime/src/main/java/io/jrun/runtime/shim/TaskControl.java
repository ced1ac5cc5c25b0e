package io.jrun.runtime.shim;

import io.jrun.kernel.Kernel;
import io.jrun.kernel.call.SignalCall;
import io.jrun.runtime.container.HostProcess;
import io.jrun.specs.json.Json;
import io.jrun.specs.json.Json.JsonObject;
import io.jrun.specs.runtime.Status;
import io.jrun.specs.task.AnyValue;

/// What is done to a running task: signals, its freezer, its resources, its terminal and input.
final class TaskControl {
  private final Kernel kernel;
  private final Pod pod;
  private final ShimContainers containers;
  private final TaskStreams streams;

  TaskControl(Kernel kernel, Pod pod, ShimContainers containers, TaskStreams streams) {
    this.kernel = kernel;
    this.pod = pod;
    this.containers = containers;
    this.streams = streams;
  }

  void kill(Call call, TaskProcess process, int signal, boolean all) {
    if (process.isInit() && all) {
      containers
          .findCgroup(process)
          .orElseThrow(() -> RpcException.notFound("process already finished"))
          .signal(signal);
      return;
    }
    if (process.pid == 0) throw RpcException.precondition("process not created");
    if (process.hasEnded()) {
      if (call.isReplayed()) return; // it may be what the signal has done
      throw RpcException.notFound("process already finished");
    }
    HostProcess host = new HostProcess(kernel, process.pid, process.startTime);
    if (!host.signal(signal) && !call.isReplayed())
      throw RpcException.notFound("process already finished");
    // a frozen process would not end
    if (process.isInit() && signal == SignalCall.SIGKILL && process.isPaused)
      containers.thaw(process);
  }

  void pause(Call call, TaskProcess init) {
    init.checkIsNotStopped("pause");
    if (!init.isStarted) throw RpcException.unknown("cannot pause task in created state");
    if (containers.status(init) != Status.PAUSED) containers.pause(init);
    else if (init.isPaused && !call.isReplayed())
      throw RpcException.unknown("cannot pause a paused container");
    if (!init.isPaused) pod.record(init.line(Line.What.PAUSED));
  }

  void resume(Call call, TaskProcess init) {
    if (!call.isReplayed()) init.checkIsNotStopped("resume");
    if (!init.isStarted) throw RpcException.unknown("cannot resume task in created state");
    if (containers.status(init) == Status.PAUSED) containers.resume(init);
    else if (!init.isPaused && !call.isReplayed())
      throw RpcException.unknown("cannot resume a running process");
    if (init.isPaused) pod.record(init.line(Line.What.RESUMED));
  }

  void update(TaskProcess init, AnyValue resources) {
    init.checkIsNotStopped("update");
    if (!(Json.parse(resources.value()) instanceof JsonObject object))
      throw RpcException.unknown("resources: must be an object");
    containers.update(init, object);
  }

  void resizePty(TaskProcess process, int width, int height) {
    if (!process.isInit() && process.hasExited)
      throw RpcException.unknown("cannot resize a stopped container");
    if (process.stdio().terminal() && process.pid != 0 && !process.hasExited)
      streams.resize(process, width, height);
  }

  void closeIo(TaskProcess process, boolean stdin) {
    if (!stdin) return;
    // whoever is just opening it, or will, sees that
    pod.record(process.line(Line.What.INPUT_CLOSED));
    streams.closeInput(process);
  }
}

package io.jrun.runtime.shim;

import io.jrun.kernel.Kernel;
import io.jrun.kernel.wire.Keeper;
import io.jrun.kernel.wire.KeeperState;
import io.jrun.specs.proto.ProtoMessage;
import io.jrun.specs.task.AnyValue;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// `containerd.task.v2.Task` and `containerd.task.v3.Task`, which differ in nothing but their
/// names: who performs which of their requests. Those about the pod itself go to [SandboxService].
///
/// What a request does is written into the pod's journal before it is answered, and what cannot be
/// undone before it is done. A request that an engine before may have begun is answered from there.
final class TaskService implements AutoCloseable {
  private static final Set<String> SERVICES =
      Set.of("containerd.task.v2.Task", "containerd.task.v3.Task");
  private static final byte[] EMPTY = {};

  private final Pod pod;
  private final Turns turns = new Turns();
  private final ShimContainers containers;
  private final OomReports oomReports;
  private final TaskCreation creation;
  private final TaskStart start;
  private final TaskControl control;
  private final TaskInfo info;
  private final Checkpoints checkpoints;
  private final TaskDeletion deletion;
  private final Takeover takeover;
  private final PodEnd end;
  private final SandboxService sandboxes;

  TaskService(
      SharedByPods engine,
      Keeper keeper,
      Pod pod,
      KeeperState state,
      ShimLine line,
      List<String> env) {
    Kernel kernel = engine.kernel();
    Workers workers = new Workers(keeper, state, engine.program());
    this.pod = pod;
    this.containers = new ShimContainers(engine.containers(), kernel, workers, line, env);
    TaskStreams streams = new TaskStreams(kernel, keeper, workers, pod, containers.namespace());
    this.oomReports = new OomReports(pod, containers, engine.oomWatcher());
    this.checkpoints = new Checkpoints(kernel, pod, containers);
    this.start =
        new TaskStart(kernel, keeper, pod, workers, containers, streams, checkpoints, oomReports);
    this.deletion = new TaskDeletion(kernel, pod, containers, streams, start);
    this.creation =
        new TaskCreation(keeper, state, pod, workers, containers, streams, deletion, oomReports);
    this.control = new TaskControl(kernel, pod, containers, streams);
    this.info = new TaskInfo(state, pod, containers);
    this.takeover =
        new Takeover(
            pod,
            turns,
            containers,
            streams,
            start,
            deletion,
            checkpoints,
            oomReports,
            engine.threads(),
            engine.timer());
    this.end = new PodEnd(pod, takeover);
    this.sandboxes =
        new SandboxService(state, pod, turns, workers, containers, info, deletion, end);
  }

  /// Goes on where an engine before has ended.
  void resume() {
    takeover.begin();
  }

  /// The answer; null for one that comes later.
  byte @Nullable [] perform(Call call) {
    String service = call.request().service();
    if (service.equals(SandboxService.NAME)) return sandboxes.perform(call);
    if (!SERVICES.contains(service)) throw RpcException.unimplemented("service " + service);
    ProtoMessage m = call.message();
    String id = call.id();
    return switch (call.method()) {
      case "State" -> info.state(pod.process(id, m.string(2)));
      case "Create" -> {
        end.creating();
        yield inTurn(id, "", () -> creation.create(call));
      }
      case "Start" -> {
        String execId = m.string(2);
        yield inTurn(id, execId, () -> start.start(call, pod.process(id, execId)));
      }
      case "Delete" -> inTurn(id, m.string(2), () -> deletion.delete(id, m.string(2)));
      case "Exec" -> inTurn(id, "", () -> creation.exec(call));
      case "Wait" -> info.await(call, pod.process(id, m.string(2)));
      case "Pids" -> info.pids(pod.task(id));
      case "Pause" -> inTurn(id, "", () -> control.pause(call, pod.task(id)));
      case "Resume" -> inTurn(id, "", () -> control.resume(call, pod.task(id)));
      case "Kill" -> {
        control.kill(call, pod.process(id, m.string(2)), m.int32(3), m.bool(4));
        yield EMPTY;
      }
      case "ResizePty" -> {
        control.resizePty(pod.process(id, m.string(2)), m.int32(3), m.int32(4));
        yield EMPTY;
      }
      case "CloseIO" -> {
        control.closeIo(pod.process(id, m.string(2)), m.bool(3));
        yield EMPTY;
      }
      case "Update" -> {
        AnyValue resources = AnyValue.read(m.message(2));
        yield inTurn(id, "", () -> control.update(pod.task(id), resources));
      }
      case "Stats" -> info.stats(pod.task(id));
      case "Connect" -> info.connect(id);
      case "Shutdown" -> {
        end.shutDown();
        yield EMPTY;
      }
      case "Checkpoint" -> inTurn(id, "", () -> checkpoints.save(call));
      default -> throw RpcException.unimplemented("method " + call.method());
    };
  }

  /// Has a request performed that waits for nothing, not even for its turn; false where it may
  /// wait. What it would cost to hand it to another thread is then saved.
  boolean performAtOnce(Call call, Runnable perform) {
    if (!SERVICES.contains(call.request().service())) return false;
    String execId = call.message().string(2);
    switch (call.method()) {
      case "Wait" -> perform.run();
      case "Exec" -> {
        return turns.takeIfFree(TaskProcess.key(call.id(), ""), perform);
      }
      case "Delete" -> {
        boolean waits = pod.find(call.id(), execId).map(deletion::mayWait).orElse(true);
        return !waits && turns.takeIfFree(TaskProcess.key(call.id(), execId), perform);
      }
      default -> {
        return false;
      }
    }
    return true;
  }

  /// One request at a time changes a process.
  private byte[] inTurn(String id, String execId, Supplier<byte[]> request) {
    return turns.take(TaskProcess.key(id, execId), request);
  }

  private byte[] inTurn(String id, String execId, Runnable request) {
    turns.take(TaskProcess.key(id, execId), request);
    return EMPTY;
  }

  /// An answer has been handed over and cannot be lost any more.
  void answered(Call call) {
    switch (call.method()) {
      case "Shutdown" -> end.takeEffect();
      case "Delete" -> deletion.answered(call.id(), call.message().string(2));
      default -> {
        // nothing waits for that
      }
    }
  }

  /// A process has ended.
  void ended(TaskProcess process) {
    if (process.isInit()) oomReports.end(process);
  }

  /// Whether there are tasks that have ended and are not deleted.
  boolean haveEnded() {
    return !ended().isEmpty();
  }

  private Collection<TaskProcess> ended() {
    return pod.all(p -> p.isInit() && p.hasExited);
  }

  /// Forgets those that have no bundle any more. containerd has had them removed by the command
  /// `delete`, as a pod did not answer in time, and asks for none of them again.
  void forgetRemoved() {
    for (TaskProcess init : ended()) {
      if (Files.exists(Path.of(init.bundle()))) continue;
      try {
        turns.take(
            init.key(),
            () -> {
              if (ended().contains(init)) deletion.undoWhole(init);
            });
      } catch (RuntimeException e) {
        System.err.println("jrun: forgetting " + init.id + ": " + e.getMessage());
      }
    }
  }

  /// A container's init has ended and others in it may live on.
  void endOthers(TaskProcess init) {
    containers.endOthers(init);
  }

  PodEnd end() {
    return end;
  }

  /// What is under way finds its keeper gone.
  @Override
  public void close() {
    takeover.close();
    oomReports.close();
  }
}

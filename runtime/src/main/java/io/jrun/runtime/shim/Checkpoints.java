package io.jrun.runtime.shim;

import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.IoReason;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.SignalCall;
import io.jrun.kernel.wire.KeeperExit;
import io.jrun.runtime.cli.CriuOptions;
import io.jrun.runtime.container.CriuProgress;
import io.jrun.runtime.container.HostProcess;
import io.jrun.specs.runtime.Status;
import io.jrun.specs.task.CheckpointTask;
import io.jrun.specs.ttrpc.StatusCode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.stream.Stream;

/// Saving tasks and restoring them, so that an engine that takes over knows what was done: each
/// step is in the journal before CRIU goes on.
///
/// A CRIU whose engine has died finds that at its next notification, and then has what it was
/// saving run on, and ends what it was restoring. Until it has ended nobody may touch its
/// container.
final class Checkpoints {
  private static final long CRIU_SECONDS = 300;
  private static final long PAUSE_NANOS = 5_000_000;
  private final Kernel kernel;
  private final Pod pod;
  private final ShimContainers containers;

  Checkpoints(Kernel kernel, Pod pod, ShimContainers containers) {
    this.kernel = kernel;
    this.pod = pod;
    this.containers = containers;
  }

  /// Saves a running container, and ends it where that is asked.
  void save(Call call) {
    CheckpointTask request = CheckpointTask.read(call.payload());
    try {
      save(call, pod.task(request.id()), request);
    } catch (RuntimeException e) {
      throw RpcException.of("checkpoint", e);
    }
  }

  private void save(Call call, TaskProcess init, CheckpointTask given) {
    settleSaving(init);
    if (call.isReplayed() && isFor(call, init) && init.checkpointStage == Line.What.CHECKPOINTED)
      return;
    check(init, given);
    CheckpointTask asked = withWork(init, given);
    pod.record(
        init.line(Line.What.CHECKPOINTING)
            .with("path", asked.path())
            .with("exit", asked.exit())
            .with("connection", call.connection())
            .with("stream", call.stream()));
    try (HelperKernel worker = containers.worker()) {
      containers.checkpoint(worker, init, asked, progress(init, master -> {}));
    } catch (RuntimeException e) {
      recordEnd(init, Line.What.UNSAVED);
      throw e;
    }
    if (given.workPath().isEmpty()) removeAll(Path.of(asked.workPath()));
    recordEnd(init, Line.What.CHECKPOINTED);
  }

  private static boolean isFor(Call call, TaskProcess init) {
    Line line = init.checkpointing;
    return line != null
        && line.int32("connection") == call.connection()
        && line.int32("stream") == call.stream();
  }

  private static void check(TaskProcess init, CheckpointTask asked) {
    init.checkIsNotStopped("checkpoint");
    if (!init.isStarted) throw RpcException.unknown("cannot checkpoint a task in created state");
    if (asked.path().isEmpty())
      throw new RpcException(StatusCode.INVALID_ARGUMENT, "checkpoint: no path for the images");
    String problem = CriuOptions.problem(asked.cgroupsMode(), asked.emptyNamespaces());
    if (!problem.isEmpty())
      throw new RpcException(StatusCode.INVALID_ARGUMENT, "checkpoint: " + problem);
  }

  /// CRIU's logs are kept where they are asked for, or where something went wrong.
  private static CheckpointTask withWork(TaskProcess init, CheckpointTask asked) {
    return asked.workPath().isEmpty()
        ? asked.withWorkPath(init.bundle() + "/work/criu-work")
        : asked;
  }

  private void recordEnd(TaskProcess init, Line.What what) {
    Line saving = init.checkpointing;
    pod.record(init.line(what).with("path", saving == null ? "" : saving.text("path")));
    pod.settle();
  }

  /// Finds out what has become of a checkpoint that an engine before was making.
  void settleSaving(TaskProcess init) {
    if (!init.isCheckpointing()) return;
    awaitCriu(init);
    Line saving = init.checkpointing;
    // only CRIU itself ends what it has saved; without that it has let it run on
    boolean isDone =
        saving != null
            && saving.flag("exit")
            && init.checkpointStage == Line.What.SAVED
            && pod.await(() -> init.reaped != null, Pod.DECIDE_MILLIS);
    if (isDone) {
      try (LazyWorker worker = containers.worker()) {
        containers.delete(worker, init);
      }
    }
    recordEnd(init, isDone ? Line.What.CHECKPOINTED : Line.What.UNSAVED);
  }

  /// Restores a container from its images.
  ///
  /// @param worker with its standard streams
  /// @param terminal takes what it does not close
  void restore(HelperKernel worker, TaskProcess init, Consumer<OwnedDescriptor> terminal) {
    try {
      containers.restore(worker, init, progress(init, terminal));
    } catch (RuntimeException e) {
      init.reaped = null; // an init that was not to be
      throw e;
    }
  }

  /// Whether a container that an engine before was restoring runs or has run; where not, what is
  /// left of it is taken away.
  boolean isRestored(TaskProcess init) {
    awaitCriu(init);
    if (init.pid != 0) {
      Status status = containers.status(init);
      boolean isThere =
          status == Status.RUNNING || status == Status.PAUSED || status == Status.STOPPED;
      HostProcess host = new HostProcess(kernel, init.pid, init.startTime);
      if (isThere && host.alive()) return true;
      pod.await(() -> init.reaped != null, Pod.DECIDE_MILLIS);
      // CRIU kills what it gives up
      KeeperExit exit = init.reaped;
      if (isThere && exit != null && exit.status() != 128 + SignalCall.SIGKILL) return true;
    }
    try (LazyWorker worker = containers.worker()) {
      containers.delete(worker, init);
    }
    init.reaped = null;
    return false;
  }

  private void awaitCriu(TaskProcess init) {
    HostProcess criu = new HostProcess(kernel, init.criuPid, init.criuStart);
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(CRIU_SECONDS);
    while (criu.alive()) {
      if (System.nanoTime() > end)
        throw RpcException.unknown(
            "criu, process " + init.criuPid + ", which was begun before, does not end");
      LockSupport.parkNanos(PAUSE_NANOS);
    }
  }

  private CriuProgress progress(TaskProcess init, Consumer<OwnedDescriptor> terminal) {
    return new CriuProgress() {
      @Override
      public void began(HostProcess criu) {
        pod.recordBorn(init, Line.What.CRIU, criu.pid(), criu.startTime());
      }

      @Override
      public void saved() {
        pod.record(init.line(Line.What.SAVED));
      }

      @Override
      public void terminal(OwnedDescriptor master) {
        terminal.accept(master);
      }

      @Override
      public void restored(HostProcess process) {
        pod.recordBorn(init, Line.What.BORN, process.pid(), process.startTime());
      }
    };
  }

  private static void removeAll(Path directory) {
    try (Stream<Path> files = Files.list(directory)) {
      for (Path file : files.toList()) Files.deleteIfExists(file);
      Files.deleteIfExists(directory);
    } catch (IOException e) {
      throw new UncheckedIOException("removing " + directory + ": " + IoReason.of(e), e);
    }
  }
}

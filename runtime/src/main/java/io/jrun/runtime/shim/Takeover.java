package io.jrun.runtime.shim;

import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/// Goes on with what an engine before was told of and had perhaps not done.
///
/// The requests may come again, or may not: whoever asked may be gone. What had been begun is
/// decided at once; what nobody asks for again is given up.
final class Takeover implements AutoCloseable {
  /// So long after an engine's end a request would have come again: its keeper sends them at once.
  static final long UNASKED_MILLIS = 2_000;

  private final Pod pod;
  private final Turns turns;
  private final ShimContainers containers;
  private final TaskStreams streams;
  private final TaskStart start;
  private final TaskDeletion deletion;
  private final Checkpoints checkpoints;
  private final OomReports oomReports;
  private final ExecutorService threads;
  private final ScheduledExecutorService timer;

  /// Containers that an engine before had begun to create, until their Create comes again.
  private final Set<TaskProcess> unasked = ConcurrentHashMap.newKeySet();

  private volatile boolean isClosed;

  Takeover(
      Pod pod,
      Turns turns,
      ShimContainers containers,
      TaskStreams streams,
      TaskStart start,
      TaskDeletion deletion,
      Checkpoints checkpoints,
      OomReports oomReports,
      ExecutorService threads,
      ScheduledExecutorService timer) {
    this.pod = pod;
    this.turns = turns;
    this.containers = containers;
    this.streams = streams;
    this.start = start;
    this.deletion = deletion;
    this.checkpoints = checkpoints;
    this.oomReports = oomReports;
    this.threads = threads;
    this.timer = timer;
  }

  void begin() {
    for (TaskProcess init : pod.all(p -> p.isInit() && p.reaped != null && !p.hasExited))
      containers.endOthers(init);
    for (TaskProcess init : pod.all(p -> p.isInit() && p.pid != 0 && !p.hasExited))
      oomReports.begin(init);
    // behind CREATED, which whoever asked for it may not ask again
    for (TaskProcess init : pod.all(p -> p.isInit() && p.pid != 0 && !p.isStarting))
      streams.settle(init);
    unasked.addAll(pod.all(p -> p.isInit() && !p.isCreated));
    List<TaskProcess> begun = List.copyOf(pod.all(p -> p.isStarting || p.isCheckpointing()));
    for (TaskProcess process : begun)
      threads.execute(() -> turns.take(process.key(), () -> decide(process)));
    if (unasked.isEmpty() && begun.isEmpty()) return;
    Future<?> _ =
        timer.schedule(
            () -> threads.execute(() -> giveUp(begun)), UNASKED_MILLIS, TimeUnit.MILLISECONDS);
  }

  private void decide(TaskProcess process) {
    try {
      checkpoints.settleSaving(process);
      start.decide(process);
    } catch (RuntimeException e) {
      System.err.println("jrun: after an engine's end, " + process.name() + ": " + e.getMessage());
    }
  }

  /// Nobody has asked again.
  private void giveUp(List<TaskProcess> begun) {
    forgetUnasked();
    for (TaskProcess process : begun) {
      try {
        if (!isClosed) turns.take(process.key(), () -> start.giveUp(process));
      } catch (RuntimeException e) {
        System.err.println("jrun: the start of " + process.name() + ": " + e.getMessage());
      }
    }
  }

  /// Undoes what was begun for a containerd that has died too, and so does not know of it.
  void forgetUnasked() {
    for (TaskProcess begun : unasked) {
      try {
        turns.take(begun.key(), () -> forgetUnasked(begun));
      } catch (RuntimeException e) {
        System.err.println("jrun: undoing the creation of " + begun.id + ": " + e.getMessage());
      }
    }
  }

  private void forgetUnasked(TaskProcess begun) {
    // a Create that came again has made it another
    if (unasked.contains(begun) && pod.find(begun.id, "").orElse(null) == begun) {
      deletion.undoWhole(begun);
    }
    unasked.remove(begun);
  }

  /// What was begun the next engine finds as this one did.
  @Override
  public void close() {
    isClosed = true;
    unasked.clear();
  }
}

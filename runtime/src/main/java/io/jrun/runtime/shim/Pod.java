package io.jrun.runtime.shim;

import io.jrun.kernel.Kernel;
import io.jrun.kernel.wire.KeeperExit;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// The processes of a pod as its journal knows them. Everything that changes goes through
/// [#record], which writes it down first; so an engine that takes over knows what this one knew.
final class Pod implements AutoCloseable {
  private static final long COMPACT_BYTES = 256 << 10;
  private static final long TRIM_EXITS = 512;

  /// For what a new engine must know of a process that an engine before had begun.
  static final long DECIDE_MILLIS = 2_000;

  /// What is told of a pod's processes, under the pod's lock.
  interface Listener {
    void happened(PodEvent event);

    /// A process has ended and its waiters are to be answered.
    void ended(TaskProcess process);

    /// A container's init has ended and others in it may live on.
    void initReaped(TaskProcess init);

    /// The last task is forgotten.
    void emptied();

    /// Exits up to that one are in the journal.
    void writtenDown(long sequence);

    /// The number of the next event that containerd has not taken; negative while some are to be
    /// taken.
    long eventsTaken();
  }

  private final Journal journal;
  private final ExitFile exits;
  private final Map<String, TaskProcess> processes = new LinkedHashMap<>();
  private final Deque<PodEvent> untaken = new ArrayDeque<>();
  private final Listener listener;

  /// The connections that have ended, since this engine serves the pod.
  private final BitSet gone = new BitSet();

  private boolean isShutDown;
  private long firstEvent;
  private long lastExit;
  private long trimmedExit;
  private long compactAt = COMPACT_BYTES;

  /// Reads what an engine before has written.
  Pod(Kernel kernel, Path directory, Listener listener) {
    this.listener = listener;
    this.exits = new ExitFile(directory.resolve("exits"));
    Journal.Opened opened = Journal.open(kernel, directory.resolve("journal"));
    this.journal = opened.journal();
    for (var json : opened.lines()) {
      Line line = new Line(json);
      if (line.what() == Line.What.BASE) {
        firstEvent = line.number("events");
        lastExit = line.number("exits");
        continue;
      }
      PodEvent event = apply(line);
      if (event != null) untaken.add(event);
    }
  }

  /// The number of the first event of the journal.
  long firstEvent() {
    return firstEvent;
  }

  /// The events of the journal, whether taken or not; they are let go with that.
  Deque<PodEvent> events() {
    return untaken;
  }

  /// Takes in the exits that were written down while there was no engine.
  synchronized void catchUp() {
    for (KeeperExit exit : exits.all()) take(exit);
    settle();
  }

  private @Nullable PodEvent apply(Line line) {
    String key = TaskProcess.key(line.id(), line.execId());
    switch (line.what()) {
      case CREATE, EXEC -> {
        processes.put(key, new TaskProcess(line));
        isShutDown = false;
      }
      case FORGOTTEN -> {
        processes.remove(key);
        if (line.execId().isEmpty()) processes.values().removeIf(p -> p.id.equals(line.id()));
      }
      case SHUTDOWN -> isShutDown = true;
      default -> {
        // of one that is there
      }
    }
    TaskProcess process = processes.get(key);
    if (process == null) return null;
    process.apply(line);
    return line.isQuiet() ? null : PodEvent.of(line, process);
  }

  /// Writes down what was done, and tells it.
  synchronized void record(Line line) {
    journal.add(line.json());
    PodEvent event = apply(line);
    if (event != null) listener.happened(event);
    if (line.what() == Line.What.FAILED) find(line.id(), line.execId()).ifPresent(this::failed);
    if (line.what() == Line.What.FORGOTTEN && all(TaskProcess::isInit).isEmpty())
      listener.emptied();
    if (journal.size() > compactAt) compact();
    notifyAll();
  }

  /// Writes down that nobody asks for a process any more; nothing where it is forgotten already. In
  /// one step, as another may be made under its id meanwhile.
  synchronized void forget(TaskProcess process) {
    if (processes.get(process.key()) == process) record(process.line(Line.What.FORGOTTEN));
  }

  /// Of an exec'd process nothing more is to come, and who waits for its end is told so.
  private void failed(TaskProcess process) {
    if (!process.isInit()) listener.ended(process);
  }

  /// Whether containerd has done with the pod: no container is left, and it said so.
  synchronized boolean isShutDown() {
    return isShutDown && all(TaskProcess::isInit).isEmpty();
  }

  /// Writes the journal anew with what is still of interest, once every event is taken.
  private void compact() {
    long taken = listener.eventsTaken();
    if (taken < 0) return;
    List<io.jrun.specs.json.Json.JsonObject> lines = new ArrayList<>();
    lines.add(Line.of(Line.What.BASE, "", "").with("events", taken).with("exits", lastExit).json());
    for (TaskProcess process : processes.values())
      for (Line line : process.lines) lines.add(line.quiet().json());
    if (isShutDown) lines.add(Line.of(Line.What.SHUTDOWN, "", "").json());
    journal.replace(lines);
    compactAt = Math.max(COMPACT_BYTES, 2 * journal.size());
  }

  synchronized Optional<TaskProcess> find(String id, String execId) {
    return Optional.ofNullable(processes.get(TaskProcess.key(id, execId)));
  }

  /// The init of the container that a request names.
  TaskProcess task(String id) {
    return find(id, "")
        .filter(p -> p.isCreated && !p.isDeleted && !p.isSandbox())
        .orElseThrow(() -> RpcException.notFound("container not created"));
  }

  /// The pause process that a request names.
  TaskProcess sandbox(String id) {
    return sandbox()
        .filter(p -> p.id.equals(id))
        .orElseThrow(() -> RpcException.notFound("sandbox " + id));
  }

  /// The pod's pause process, where the shim made it.
  Optional<TaskProcess> sandbox() {
    return all(p -> p.isSandbox() && p.isCreated).stream().findFirst();
  }

  /// The process that a request names.
  ///
  /// @param execId empty for the container's init
  TaskProcess process(String id, String execId) {
    TaskProcess init = task(id);
    if (execId.isEmpty()) return init;
    return find(id, execId)
        .filter(p -> !p.isDeleted)
        .orElseThrow(() -> RpcException.notFound("process does not exist " + execId));
  }

  /// What is not deleted yet.
  synchronized Collection<TaskProcess> all(Predicate<TaskProcess> which) {
    return processes.values().stream().filter(p -> !p.isDeleted && which.test(p)).toList();
  }

  /// Writes down what was done, and with it the lowest place that no process has, as `place`.
  /// Whether there was one; in one step, as containers of a pod begin processes at the same time.
  synchronized boolean recordPlaced(Line line, int first, int places, int each) {
    for (int place = first; place + each <= first + places; place += each) {
      int candidate = place;
      if (processes.values().stream().anyMatch(p -> p.place() == candidate)) continue;
      record(line.with("place", place));
      return true;
    }
    return false;
  }

  /// What the exits of a process will come after, asked while that process cannot have been reaped
  /// by the keeper.
  synchronized long exitsBefore() {
    return Math.max(lastExit, exits.last());
  }

  /// Writes down that a process is there. Its parent is a worker until that ends, so no exit of its
  /// pid so far is its own.
  synchronized void recordBorn(TaskProcess process, Line.What what, int pid, long startTime) {
    record(
        process.line(what).with("pid", pid).with("start", startTime).with("exits", exitsBefore()));
  }

  /// The keeper has reaped a child.
  synchronized void reaped(KeeperExit exit) {
    if (exit.sequence() <= lastExit) return;
    take(exit);
    settle();
    boolean pending = processes.values().stream().anyMatch(p -> p.reaped != null && !p.hasExited);
    if (!pending && lastExit - trimmedExit >= TRIM_EXITS) {
      trimmedExit = lastExit;
      listener.writtenDown(lastExit);
    }
  }

  private void take(KeeperExit exit) {
    lastExit = Math.max(lastExit, exit.sequence());
    for (TaskProcess process : processes.values()) {
      if (process.awaits(exit)) process.reaped = exit;
      else if (process.isRelay(exit)) process.relayEnded = true;
      else continue;
      if (process.isInit() && process.reaped == exit) listener.initReaped(process);
    }
    notifyAll();
  }

  /// Tells of the ends that may be told: none before its start is, and that of a container's init
  /// after all others.
  synchronized void settle() {
    for (TaskProcess process : List.copyOf(processes.values()))
      if (!process.isInit()) settle(process);
    for (TaskProcess process : List.copyOf(processes.values()))
      if (process.isInit() && !hasOthers(process.id)) settle(process);
  }

  private void settle(TaskProcess process) {
    KeeperExit exit = process.reaped;
    if (exit == null || process.hasExited || process.isStarting || process.isCheckpointing())
      return;
    record(
        Line.of(Line.What.EXITED, process.id, process.execId)
            .with("status", exit.status())
            .with("exitedAt", exit.at())
            .with("sequence", exit.sequence()));
    listener.ended(process);
  }

  private boolean hasOthers(String id) {
    return processes.values().stream()
        .anyMatch(p -> p.id.equals(id) && !p.isInit() && p.isLive() && !p.isDeleted);
  }

  /// Waits until that is so of the pod; false where it was not in time.
  synchronized boolean await(java.util.function.BooleanSupplier condition, long millis) {
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
    try {
      while (!condition.getAsBoolean()) {
        long left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
        if (left <= 0) return false;
        wait(left);
      }
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /// Has a waiter answered when the process has ended; at once where it has.
  synchronized void whenEnded(TaskProcess process, Call waiter, Consumer<TaskProcess> now) {
    if (process.hasExited || process.hasFailed && !process.isInit()) now.accept(process);
    else process.waiters.add(waiter);
  }

  /// The waiters, who are forgotten with that.
  synchronized List<Call> takeWaiters(TaskProcess process) {
    List<Call> all = List.copyOf(process.waiters);
    process.waiters.clear();
    return all;
  }

  /// Whether whoever asked is gone.
  synchronized boolean isGone(Call call) {
    return gone.get(call.connection());
  }

  /// Whether nothing more will come for its standard input.
  synchronized boolean isInputClosed(TaskProcess process) {
    return process.inputIsClosed;
  }

  /// Forgets who waited over a connection that has ended.
  synchronized void disconnected(int connection) {
    gone.set(connection);
    for (TaskProcess process : processes.values())
      process.waiters.removeIf(waiter -> waiter.connection() == connection);
  }

  @Override
  public synchronized void close() {
    journal.close();
    exits.close();
    notifyAll();
  }
}

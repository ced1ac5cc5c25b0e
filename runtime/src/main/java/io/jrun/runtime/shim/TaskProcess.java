package io.jrun.runtime.shim;

import io.jrun.kernel.wire.KeeperExit;
import io.jrun.specs.json.Json;
import io.jrun.specs.json.Json.JsonArray;
import io.jrun.specs.json.Json.JsonObject;
import io.jrun.specs.proto.ProtoWriter;
import io.jrun.specs.task.RootfsMount;
import io.jrun.specs.task.StdioPaths;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A process that containerd knows: the init of a container, or one of its exec'd processes. All of
/// it but the waiting is what the lines of the journal about it say. Belongs to its pod, under
/// whose lock it changes.
///
/// ```
///   CREATE ─▶ CREATED ─▶ STARTING ─▶ STARTED ─▶ EXITED ─▶ DELETED
///                 of a checkpoint: ─▶ CRIU ─▶ BORN ─▶ STARTED
///   EXEC ─▶ STARTING ─▶ BORN ─▶ STARTED ─▶ EXITED ─▶ DELETED
///                        └────▶ FAILED
///   CHECKPOINTING ─▶ CRIU ─▶ SAVED ─▶ CHECKPOINTED or UNSAVED, any number of times
/// ```
final class TaskProcess {
  final String id;
  final String execId;
  final List<Line> lines = new ArrayList<>();
  final List<Call> waiters = new ArrayList<>();
  private Line begun;

  /// Init is made, or the exec'd process is born.
  int pid;

  long startTime;

  /// Only exits behind this one can be the process's own: before, the pid was another's.
  private long bornAfter;

  boolean isCreated;
  boolean isStarting;

  /// Of one whose start an engine before had begun: that this has come to nothing.
  boolean hasNotStarted;

  boolean isStarted;
  boolean hasFailed;
  boolean isDeleted;
  boolean isPaused;

  /// How many of its processes were killed for want of memory, as far as that was told.
  long oomKills;

  /// The process that copies between a terminal and its FIFOs, or takes the output; 0 for none.
  int relayPid;

  /// The last attempt to save it; null for none.
  @Nullable Line checkpointing;

  /// What that attempt has come to: CHECKPOINTING, SAVED, CHECKPOINTED or UNSAVED.
  Line.What checkpointStage = Line.What.UNSAVED;

  /// The CRIU that saves or restores it; 0 for none.
  int criuPid;

  long criuStart;

  private long relayBornAfter;
  boolean relayEnded;

  /// Whether its standard input ends where it has ended by now, also of one that is still to begin.
  boolean inputIsClosed;

  /// That it was reaped, before that is told.
  @Nullable KeeperExit reaped;

  boolean hasExited;
  int exitStatus;
  @Nullable Instant exitedAt;

  TaskProcess(Line begun) {
    this.begun = begun;
    this.id = begun.id();
    this.execId = begun.execId();
  }

  static String key(String id, String execId) {
    return id + "/" + execId;
  }

  /// What it is told from all others by.
  String key() {
    return key(id, execId);
  }

  /// As its messages have it.
  String name() {
    return isInit() ? id : execId;
  }

  /// A line of the journal about it.
  Line line(Line.What what) {
    return Line.of(what, id, execId);
  }

  boolean isInit() {
    return execId.isEmpty();
  }

  String bundle() {
    return begun.text("bundle");
  }

  /// Whether it is the pause process of the pod, and no task.
  boolean isSandbox() {
    return begun.flag("sandbox");
  }

  /// When it was made; when that was begun, before.
  Instant createdAt() {
    return lines.stream()
        .filter(line -> line.what() == Line.What.CREATED)
        .reduce((first, last) -> last)
        .orElse(begun)
        .time("at");
  }

  /// The directory of the containers' state.
  String root() {
    return begun.text("root");
  }

  /// The first of the numbers under which the keeper has its descriptors.
  int place() {
    return begun.int32("place");
  }

  byte[] spec() {
    return begun.text("spec").getBytes(StandardCharsets.UTF_8);
  }

  /// The directory of the images that it is restored from; empty for a new one.
  String checkpoint() {
    return begun.text("checkpoint");
  }

  boolean isOfCheckpoint() {
    return !checkpoint().isEmpty();
  }

  /// As create was told, for what start does.
  Line begun() {
    return begun;
  }

  StdioPaths stdio() {
    return new StdioPaths(
        begun.text("stdin"), begun.text("stdout"), begun.text("stderr"), begun.flag("terminal"));
  }

  Stdio.Owner stdioOwner() {
    return new Stdio.Owner(begun.int32("ioUid"), begun.int32("ioGid"));
  }

  List<RootfsMount> rootfs() {
    return begun.list("rootfs").stream().map(TaskProcess::mount).toList();
  }

  private static RootfsMount mount(Json json) {
    Line m = new Line((JsonObject) json);
    List<String> options =
        m.list("options").stream().map(o -> ((Json.JsonString) o).value()).toList();
    return new RootfsMount(m.text("type"), m.text("source"), m.text("target"), options);
  }

  static Json json(List<RootfsMount> mounts) {
    return new JsonArray(
        mounts.stream()
            .<Json>map(m ->
                JsonObject.EMPTY
                    .with("type", Json.of(m.type()))
                    .with("source", Json.of(m.source()))
                    .with("target", Json.of(m.target()))
                    .with("options", Json.ofStrings(m.options())))
            .toList());
  }

  void apply(Line line) {
    switch (line.what()) {
      case CREATED, BORN -> {
        pid = line.int32("pid");
        startTime = line.number("start");
        bornAfter = line.number("exits");
        isCreated = true;
        hasFailed = false;
      }
      case STARTING -> {
        isStarting = true;
        hasNotStarted = false;
      }
      case STARTED -> {
        isStarting = false;
        isStarted = true;
      }
      case FAILED -> {
        isStarting = false;
        hasFailed = true;
        if (!isInit() || isOfCheckpoint()) pid = 0;
      }
      case RELAY -> {
        relayPid = line.int32("pid");
        relayBornAfter = line.number("exits");
        relayEnded = false;
      }
      case INPUT_CLOSED -> inputIsClosed = true;
      case EXITED -> {
        hasExited = true;
        isStarting = false;
        exitStatus = line.int32("status");
        exitedAt = line.time("exitedAt");
      }
      case DELETED -> isDeleted = true;
      case PAUSED -> isPaused = true;
      case RESUMED -> isPaused = false;
      case OOM -> oomKills = line.number("kills");
      case CRIU -> {
        criuPid = line.int32("pid");
        criuStart = line.number("start");
      }
      case CHECKPOINTING -> {
        checkpointing = line;
        checkpointStage = line.what();
      }
      case SAVED, UNSAVED, CHECKPOINTED -> checkpointStage = line.what();
      case BASE, CREATE, EXEC, FORGOTTEN, SHUTDOWN -> {
        // of the pod, or of nothing that is to be known later
      }
    }
    // of what may happen again and again the last time is what is to be known
    lines.removeIf(earlier -> replaces(line.what(), earlier.what()));
    lines.add(line);
  }

  private static boolean replaces(Line.What now, Line.What before) {
    return switch (now) {
      case PAUSED, RESUMED -> before == Line.What.PAUSED || before == Line.What.RESUMED;
      case OOM, CRIU, STARTING, INPUT_CLOSED -> now == before;
      case CHECKPOINTING ->
          switch (before) {
            case CHECKPOINTING, SAVED, UNSAVED, CHECKPOINTED -> true;
            default -> false;
          };
      default -> false;
    };
  }

  /// Whether it is being saved, by this engine or one before.
  boolean isCheckpointing() {
    return checkpointStage == Line.What.CHECKPOINTING || checkpointStage == Line.What.SAVED;
  }

  /// Whether that exit is this process's, of which none is known yet.
  boolean awaits(KeeperExit exit) {
    return pid != 0
        && pid == exit.pid()
        && exit.sequence() > bornAfter
        && reaped == null
        && !hasExited;
  }

  boolean isRelay(KeeperExit exit) {
    return relayPid != 0
        && relayPid == exit.pid()
        && exit.sequence() > relayBornAfter
        && !relayEnded;
  }

  /// Whether it is known to have ended, also where that is not told yet.
  boolean hasEnded() {
    return hasExited || reaped != null;
  }

  /// Of an init.
  void checkIsNotStopped(String what) {
    if (hasEnded()) throw RpcException.unknown("cannot " + what + " a stopped container");
  }

  /// Of an init.
  void checkIsRunning() {
    if (hasEnded())
      throw RpcException.precondition("container " + id + " init process is not running");
  }

  /// What it is since it was started, as messages have it.
  String stage() {
    if (hasExited) return "stopped";
    return isPaused ? "paused" : "running";
  }

  /// What Create and Start answer.
  byte[] pidAnswer() {
    return new ProtoWriter().uint32(1, pid).toBytes();
  }

  /// Whether it is there: born, and its end not yet told.
  boolean isLive() {
    return (isStarting || isStarted) && !hasExited;
  }
}

package io.jrun.runtime.shim;

import io.jrun.kernel.wire.KeeperExit;
import io.jrun.specs.json.Json;
import io.jrun.specs.json.Json.JsonArray;
import io.jrun.specs.json.Json.JsonObject;
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
///   EXEC ─▶ STARTING ─▶ BORN ─▶ STARTED ─▶ EXITED ─▶ DELETED
///                        └────▶ FAILED
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
  boolean isStarted;
  boolean hasFailed;
  boolean isDeleted;
  boolean isPaused;

  /// How many of its processes were killed for want of memory, as far as that was told.
  long oomKills;

  /// The process that copies between a terminal and its FIFOs, or takes the output; 0 for none.
  int relayPid;

  private long relayBornAfter;
  boolean relayEnded;

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

  boolean isInit() {
    return execId.isEmpty();
  }

  String bundle() {
    return begun.text("bundle");
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

  String checkpoint() {
    return begun.text("checkpoint");
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
      case STARTING -> isStarting = true;
      case STARTED -> {
        isStarting = false;
        isStarted = true;
      }
      case FAILED -> {
        isStarting = false;
        hasFailed = true;
        if (!isInit()) pid = 0;
      }
      case RELAY -> {
        relayPid = line.int32("pid");
        relayBornAfter = line.number("exits");
      }
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
      case BASE, CREATE, EXEC, CHECKPOINTED, FORGOTTEN, SHUTDOWN -> {
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
      case OOM, CHECKPOINTED, STARTING -> now == before;
      default -> false;
    };
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

  /// Whether it is there: born, and its end not yet told.
  boolean isLive() {
    return (isStarting || isStarted) && !hasExited;
  }
}

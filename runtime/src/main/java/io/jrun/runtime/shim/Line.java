package io.jrun.runtime.shim;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.Json.JsonArray;
import io.jrun.specs.json.Json.JsonBool;
import io.jrun.specs.json.Json.JsonNumber;
import io.jrun.specs.json.Json.JsonObject;
import io.jrun.specs.json.Json.JsonString;
import io.jrun.specs.runtime.Rfc3339;
import io.jrun.specs.task.StdioPaths;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/// A line of a pod's journal: what was done, to which process, when; and what else is to be known
/// of it. A quiet one is a copy of one whose event was published.
record Line(JsonObject json) {
  /// What can be done. The names are on disk.
  enum What {
    BASE,
    CREATE,
    CREATED,
    STARTING,
    STARTED,
    EXEC,
    BORN,
    FAILED,
    RELAY,
    INPUT_CLOSED,
    EXITED,
    DELETED,
    FORGOTTEN,
    PAUSED,
    RESUMED,
    OOM,
    CRIU,
    CHECKPOINTING,
    SAVED,
    UNSAVED,
    CHECKPOINTED,
    SHUTDOWN
  }

  static Line of(What what, String id, String execId) {
    SequencedMap<String, Json> members = new LinkedHashMap<>();
    members.put("what", Json.of(what.name()));
    members.put("id", Json.of(id));
    members.put("exec", Json.of(execId));
    members.put("at", Json.of(Rfc3339.format(Instant.now())));
    return new Line(new JsonObject(members));
  }

  Line with(String name, String value) {
    return new Line(json.with(name, Json.of(value)));
  }

  Line with(String name, long value) {
    return new Line(json.with(name, Json.of(value)));
  }

  Line with(String name, boolean value) {
    return new Line(json.with(name, Json.of(value)));
  }

  Line with(String name, Instant value) {
    return new Line(json.with(name, Json.of(Rfc3339.format(value))));
  }

  Line with(String name, Json value) {
    return new Line(json.with(name, value));
  }

  /// The streams of a process, and whose they become.
  Line with(StdioPaths stdio, Stdio.Owner owner) {
    return with("stdin", stdio.stdin())
        .with("stdout", stdio.stdout())
        .with("stderr", stdio.stderr())
        .with("terminal", stdio.terminal())
        .with("ioUid", owner.uid())
        .with("ioGid", owner.gid());
  }

  What what() {
    return What.valueOf(text("what"));
  }

  String id() {
    return text("id");
  }

  String execId() {
    return text("exec");
  }

  Line quiet() {
    return with("quiet", true);
  }

  boolean isQuiet() {
    return flag("quiet");
  }

  String text(String name) {
    return json.member(name) instanceof JsonString s ? s.value() : "";
  }

  long number(String name) {
    return json.member(name) instanceof JsonNumber n ? Long.parseLong(n.literal()) : 0;
  }

  int int32(String name) {
    return (int) number(name);
  }

  boolean flag(String name) {
    return json.member(name) instanceof JsonBool b && b.value();
  }

  Instant time(String name) {
    String text = text(name);
    return text.isEmpty() ? Instant.EPOCH : Rfc3339.parse(text);
  }

  List<Json> list(String name) {
    return json.member(name) instanceof JsonArray a ? a.elements() : List.of();
  }
}

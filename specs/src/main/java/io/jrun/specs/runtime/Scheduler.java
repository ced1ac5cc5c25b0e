package io.jrun.specs.runtime;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.JsonWriter;
import java.util.List;

/// What sched_setattr(2) is asked for; runtime, deadline and period are uint64 nanoseconds.
public record Scheduler(
    String policy,
    int nice,
    int priority,
    List<String> flags,
    long runtimeNanos,
    long deadlineNanos,
    long periodNanos,
    Json.JsonObject unknown) {
  public Scheduler {
    flags = List.copyOf(flags);
  }

  static Scheduler read(JsonReader r) {
    return new Scheduler(
        r.string("policy"),
        r.int32("nice"),
        r.int32("priority"),
        r.strings("flags"),
        r.uint64("runtime"),
        r.uint64("deadline"),
        r.uint64("period"),
        r.unknown());
  }

  public Json.JsonObject toJson() {
    return new JsonWriter(unknown)
        .string("policy", policy)
        .number("nice", nice)
        .number("priority", priority)
        .strings("flags", flags)
        .unsigned("runtime", runtimeNanos)
        .unsigned("deadline", deadlineNanos)
        .unsigned("period", periodNanos)
        .object();
  }
}

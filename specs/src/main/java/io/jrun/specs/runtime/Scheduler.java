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
  /// Each at the index that is its number (include/uapi/linux/sched.h).
  public static final List<String> POLICIES =
      List.of(
          "SCHED_OTHER",
          "SCHED_FIFO",
          "SCHED_RR",
          "SCHED_BATCH",
          "SCHED_ISO",
          "SCHED_IDLE",
          "SCHED_DEADLINE");

  /// Each at the index of its bit.
  public static final List<String> FLAGS =
      List.of(
          "SCHED_FLAG_RESET_ON_FORK",
          "SCHED_FLAG_RECLAIM",
          "SCHED_FLAG_DL_OVERRUN",
          "SCHED_FLAG_KEEP_POLICY",
          "SCHED_FLAG_KEEP_PARAMS",
          "SCHED_FLAG_UTIL_CLAMP_MIN",
          "SCHED_FLAG_UTIL_CLAMP_MAX");

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

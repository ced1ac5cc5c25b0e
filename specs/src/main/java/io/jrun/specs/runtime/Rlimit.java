package io.jrun.specs.runtime;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.JsonWriter;
import java.util.List;

/// A limit of setrlimit(2), such as `RLIMIT_NOFILE`; soft and hard are uint64 in a long, so
/// infinity is -1.
public record Rlimit(String type, long soft, long hard, Json.JsonObject unknown) {
  /// In the order of the kernel's numbers, from 0.
  public static final List<String> TYPES =
      List.of(
          "RLIMIT_CPU",
          "RLIMIT_FSIZE",
          "RLIMIT_DATA",
          "RLIMIT_STACK",
          "RLIMIT_CORE",
          "RLIMIT_RSS",
          "RLIMIT_NPROC",
          "RLIMIT_NOFILE",
          "RLIMIT_MEMLOCK",
          "RLIMIT_AS",
          "RLIMIT_LOCKS",
          "RLIMIT_SIGPENDING",
          "RLIMIT_MSGQUEUE",
          "RLIMIT_NICE",
          "RLIMIT_RTPRIO",
          "RLIMIT_RTTIME");

  static Rlimit read(JsonReader r) {
    return new Rlimit(
        r.string("type"), r.requiredUint64("soft"), r.requiredUint64("hard"), r.unknown());
  }

  public Json.JsonObject toJson() {
    return new JsonWriter(unknown)
        .string("type", type)
        .optionalUnsigned("hard", hard)
        .optionalUnsigned("soft", soft)
        .object();
  }
}

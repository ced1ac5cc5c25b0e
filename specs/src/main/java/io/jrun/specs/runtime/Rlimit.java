package io.jrun.specs.runtime;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.JsonWriter;

/// A limit of setrlimit(2), such as `RLIMIT_NOFILE`; soft and hard are uint64 in a long, so
/// infinity is -1.
public record Rlimit(String type, long soft, long hard, Json.JsonObject unknown) {
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

package io.jrun.specs.runtime;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.JsonWriter;

/// An offset of a clock of a time namespace (time_namespaces(7)).
public record TimeOffset(long secs, long nanosecs, Json.JsonObject unknown) {
  static TimeOffset read(JsonReader r) {
    return new TimeOffset(r.int64("secs"), r.uint32("nanosecs"), r.unknown());
  }

  public Json.JsonObject toJson() {
    return new JsonWriter(unknown).number("secs", secs).number("nanosecs", nanosecs).object();
  }
}

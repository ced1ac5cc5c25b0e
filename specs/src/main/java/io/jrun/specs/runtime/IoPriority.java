package io.jrun.specs.runtime;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.JsonWriter;

/// What ioprio_set(2) is asked for: an `IOPRIO_CLASS_` name and a level.
public record IoPriority(String ioClass, int priority, Json.JsonObject unknown) {
  static IoPriority read(JsonReader r) {
    return new IoPriority(r.string("class"), r.int32("priority"), r.unknown());
  }

  public Json.JsonObject toJson() {
    return new JsonWriter(unknown).string("class", ioClass).number("priority", priority).object();
  }
}

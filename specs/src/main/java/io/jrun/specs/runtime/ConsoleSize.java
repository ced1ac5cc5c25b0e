package io.jrun.specs.runtime;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.JsonWriter;

/// The terminal's size in characters; uint64 in the specification.
public record ConsoleSize(long height, long width, Json.JsonObject unknown) {
  static ConsoleSize read(JsonReader r) {
    return new ConsoleSize(r.requiredUint64("height"), r.requiredUint64("width"), r.unknown());
  }

  public Json.JsonObject toJson() {
    return new JsonWriter(unknown)
        .optionalUnsigned("height", height)
        .optionalUnsigned("width", width)
        .object();
  }
}

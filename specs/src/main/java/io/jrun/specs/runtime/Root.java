package io.jrun.specs.runtime;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.JsonWriter;

/// The root filesystem; a relative path starts at the bundle.
public record Root(String path, boolean readonly, Json.JsonObject unknown) {
  static Root read(JsonReader r) {
    return new Root(r.string("path"), r.bool("readonly"), r.unknown());
  }

  public Json.JsonObject toJson() {
    return new JsonWriter(unknown).string("path", path).bool("readonly", readonly).object();
  }
}

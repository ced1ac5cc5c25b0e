package io.jrun.specs.runtime;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.JsonWriter;
import org.jspecify.annotations.Nullable;

/// A network device to move in; its key in the map is the host's name, `name` the container's.
public record NetDevice(@Nullable String name, Json.JsonObject unknown) {
  static NetDevice read(JsonReader r) {
    return new NetDevice(r.optionalString("name"), r.unknown());
  }

  public Json.JsonObject toJson() {
    return new JsonWriter(unknown).string("name", name).object();
  }
}

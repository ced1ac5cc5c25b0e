package io.jrun.specs.runtime;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.JsonWriter;
import java.util.List;

/// What personality(2) is asked for: `LINUX` or `LINUX32`.
public record Personality(String domain, List<String> flags, Json.JsonObject unknown) {
  public Personality {
    flags = List.copyOf(flags);
  }

  static Personality read(JsonReader r) {
    return new Personality(r.string("domain"), r.strings("flags"), r.unknown());
  }

  public Json.JsonObject toJson() {
    return new JsonWriter(unknown).string("domain", domain).strings("flags", flags).object();
  }
}

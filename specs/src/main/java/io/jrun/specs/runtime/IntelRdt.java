package io.jrun.specs.runtime;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.JsonWriter;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The resctrl group of the container.
public record IntelRdt(
    @Nullable String closId,
    List<String> schemata,
    @Nullable String l3CacheSchema,
    @Nullable String memBwSchema,
    boolean enableMonitoring,
    Json.JsonObject unknown) {
  public IntelRdt {
    schemata = List.copyOf(schemata);
  }

  /// The object alone, such as an update leaves it.
  public static IntelRdt parse(byte[] json) {
    return JsonReader.read("intelRdt", json, IntelRdt::read);
  }

  static IntelRdt read(JsonReader r) {
    return new IntelRdt(
        r.optionalString("closID"),
        r.strings("schemata"),
        r.optionalString("l3CacheSchema"),
        r.optionalString("memBwSchema"),
        r.bool("enableMonitoring"),
        r.unknown());
  }

  public Json.JsonObject toJson() {
    return new JsonWriter(unknown)
        .string("closID", closId)
        .strings("schemata", schemata)
        .string("l3CacheSchema", l3CacheSchema)
        .string("memBwSchema", memBwSchema)
        .bool("enableMonitoring", enableMonitoring)
        .object();
  }
}

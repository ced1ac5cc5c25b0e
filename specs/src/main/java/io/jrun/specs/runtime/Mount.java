package io.jrun.specs.runtime;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.JsonWriter;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// One mount, in the order of config.json; a bind mount may lack a type.
public record Mount(
    String destination,
    @Nullable String type,
    @Nullable String source,
    List<String> options,
    List<IdMapping> uidMappings,
    List<IdMapping> gidMappings,
    Json.JsonObject unknown) {
  public Mount {
    options = List.copyOf(options);
    uidMappings = List.copyOf(uidMappings);
    gidMappings = List.copyOf(gidMappings);
  }

  public Mount withDestination(String destination) {
    return new Mount(destination, type, source, options, uidMappings, gidMappings, unknown);
  }

  public Mount withOptions(List<String> options) {
    return new Mount(destination, type, source, options, uidMappings, gidMappings, unknown);
  }

  static Mount read(JsonReader r) {
    return new Mount(
        r.string("destination"),
        r.optionalString("type"),
        r.optionalString("source"),
        r.strings("options"),
        r.objects("uidMappings", IdMapping::read),
        r.objects("gidMappings", IdMapping::read),
        r.unknown());
  }

  public Json.JsonObject toJson() {
    return new JsonWriter(unknown)
        .string("destination", destination)
        .string("type", type)
        .string("source", source)
        .strings("options", options)
        .objects("uidMappings", uidMappings, IdMapping::toJson)
        .objects("gidMappings", gidMappings, IdMapping::toJson)
        .object();
  }
}

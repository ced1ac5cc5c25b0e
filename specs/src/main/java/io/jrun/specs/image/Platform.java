package io.jrun.specs.image;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.JsonWriter;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What a manifest of an index is for: image-index.md.
public record Platform(
    String architecture,
    String os,
    @Nullable String osVersion,
    List<String> osFeatures,
    @Nullable String variant,
    Json.JsonObject unknown) {
  public Platform {
    osFeatures = List.copyOf(osFeatures);
  }

  static Platform read(JsonReader r) {
    return new Platform(
        r.string("architecture"),
        r.string("os"),
        r.optionalString("os.version"),
        r.strings("os.features"),
        r.optionalString("variant"),
        r.unknown());
  }

  public Json.JsonObject toJson() {
    return new JsonWriter(unknown)
        .string("architecture", architecture)
        .string("os", os)
        .string("os.version", osVersion)
        .strings("os.features", osFeatures)
        .string("variant", variant)
        .object();
  }
}

package io.jrun.specs.runtime;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.JsonWriter;
import org.jspecify.annotations.Nullable;

/// A namespace to create, or with a path to join.
public record Namespace(NamespaceType type, @Nullable String path, Json.JsonObject unknown) {
  public static Namespace fresh(NamespaceType type) {
    return new Namespace(type, null, Json.JsonObject.EMPTY);
  }

  public static Namespace joined(NamespaceType type, String path) {
    return new Namespace(type, path, Json.JsonObject.EMPTY);
  }

  static Namespace read(JsonReader r) {
    return new Namespace(
        r.enumeration("type", NamespaceType.values(), NamespaceType::text),
        r.optionalString("path"),
        r.unknown());
  }

  public Json.JsonObject toJson() {
    return new JsonWriter(unknown).string("type", type.text()).string("path", path).object();
  }
}

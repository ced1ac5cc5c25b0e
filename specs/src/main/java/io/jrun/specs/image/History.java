package io.jrun.specs.image;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.JsonWriter;
import org.jspecify.annotations.Nullable;

/// How a layer came to be: config.md; `emptyLayer` where the step made none.
public record History(
    @Nullable String created,
    @Nullable String author,
    @Nullable String createdBy,
    @Nullable String comment,
    boolean emptyLayer,
    Json.JsonObject unknown) {
  static History read(JsonReader r) {
    return new History(
        r.optionalString("created"),
        r.optionalString("author"),
        r.optionalString("created_by"),
        r.optionalString("comment"),
        r.bool("empty_layer"),
        r.unknown());
  }

  public Json.JsonObject toJson() {
    return new JsonWriter(unknown)
        .string("created", created)
        .string("author", author)
        .string("created_by", createdBy)
        .string("comment", comment)
        .bool("empty_layer", emptyLayer)
        .object();
  }
}

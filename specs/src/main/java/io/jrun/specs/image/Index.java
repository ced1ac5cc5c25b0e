package io.jrun.specs.image;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.JsonWriter;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Manifests for several platforms, or all of a layout: image-index.md. `mediaType` and
/// `artifactType` are null where they are absent.
public record Index(
    @Nullable String mediaType,
    @Nullable String artifactType,
    List<ContentDescriptor> manifests,
    Map<String, String> annotations,
    Json.JsonObject unknown) {
  public static final Index EMPTY =
      new Index(MediaType.INDEX, null, List.of(), Map.of(), Json.JsonObject.EMPTY);

  public static Index read(String document, byte[] json) {
    return JsonReader.read(document, json, Index::read);
  }

  public Index {
    manifests = List.copyOf(manifests);
    annotations = Collections.unmodifiableMap(new LinkedHashMap<>(annotations));
  }

  static Index read(JsonReader r) {
    if (r.requiredInt64("schemaVersion") != 2) r.problem("schemaVersion", "must be 2");
    return new Index(
        r.optionalString("mediaType"),
        r.optionalString("artifactType"),
        r.objects("manifests", ContentDescriptor::read),
        r.stringMap("annotations"),
        r.unknown());
  }

  public Index withManifests(List<ContentDescriptor> manifests) {
    return new Index(mediaType, artifactType, manifests, annotations, unknown);
  }

  public Json.JsonObject toJson() {
    return new JsonWriter(unknown)
        .number("schemaVersion", 2)
        .string("mediaType", mediaType)
        .string("artifactType", artifactType)
        .member("manifests", array(manifests))
        .stringMap("annotations", annotations)
        .object();
  }

  static Json array(List<ContentDescriptor> descriptors) {
    return new Json.JsonArray(descriptors.stream().<Json>map(ContentDescriptor::toJson).toList());
  }
}

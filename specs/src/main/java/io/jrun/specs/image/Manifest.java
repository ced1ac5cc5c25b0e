package io.jrun.specs.image;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.JsonWriter;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// One image: its configuration and layers, the lowest first: manifest.md.
public record Manifest(
    @Nullable String mediaType,
    @Nullable String artifactType,
    ContentDescriptor config,
    List<ContentDescriptor> layers,
    @Nullable ContentDescriptor subject,
    Map<String, String> annotations,
    Json.JsonObject unknown) {
  public static Manifest of(ContentDescriptor config, List<ContentDescriptor> layers) {
    return new Manifest(
        MediaType.MANIFEST, null, config, layers, null, Map.of(), Json.JsonObject.EMPTY);
  }

  public static Manifest read(String document, byte[] json) {
    return JsonReader.read(document, json, Manifest::read);
  }

  public Manifest {
    layers = List.copyOf(layers);
    annotations = Collections.unmodifiableMap(new LinkedHashMap<>(annotations));
  }

  static Manifest read(JsonReader r) {
    if (r.requiredInt64("schemaVersion") != 2) r.problem("schemaVersion", "must be 2");
    ContentDescriptor config = r.object("config", ContentDescriptor::read);
    if (config == null) r.problem("config", "is required");
    return new Manifest(
        r.optionalString("mediaType"),
        r.optionalString("artifactType"),
        config == null ? ContentDescriptor.NONE : config,
        r.objects("layers", ContentDescriptor::read),
        r.object("subject", ContentDescriptor::read),
        r.stringMap("annotations"),
        r.unknown());
  }

  public Json.JsonObject toJson() {
    return new JsonWriter(unknown)
        .number("schemaVersion", 2)
        .string("mediaType", mediaType)
        .string("artifactType", artifactType)
        .member("config", config.toJson())
        .member("layers", Index.array(layers))
        .member("subject", subject == null ? null : subject.toJson())
        .stringMap("annotations", annotations)
        .object();
  }
}

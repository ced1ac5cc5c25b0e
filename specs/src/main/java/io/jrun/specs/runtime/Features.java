package io.jrun.specs.runtime;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.JsonWriter;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What a runtime can do, independent of the host: features.md.
public record Features(
    String ociVersionMin,
    String ociVersionMax,
    List<String> hooks,
    List<String> mountOptions,
    @Nullable LinuxFeatures linux,
    Map<String, String> annotations,
    List<String> potentiallyUnsafeConfigAnnotations,
    Json.JsonObject unknown) {
  /// Reads the document's structure.
  public static Features read(byte[] json) {
    return JsonReader.read("features.json", json, Features::read);
  }

  public Features {
    hooks = List.copyOf(hooks);
    mountOptions = List.copyOf(mountOptions);
    annotations = Collections.unmodifiableMap(new LinkedHashMap<>(annotations));
    potentiallyUnsafeConfigAnnotations = List.copyOf(potentiallyUnsafeConfigAnnotations);
  }

  static Features read(JsonReader r) {
    return new Features(
        r.string("ociVersionMin"),
        r.string("ociVersionMax"),
        r.strings("hooks"),
        r.strings("mountOptions"),
        r.object("linux", LinuxFeatures::read),
        r.stringMap("annotations"),
        r.strings("potentiallyUnsafeConfigAnnotations"),
        r.unknown());
  }

  public Json.JsonObject toJson() {
    return new JsonWriter(unknown)
        .string("ociVersionMin", ociVersionMin)
        .string("ociVersionMax", ociVersionMax)
        .strings("hooks", hooks)
        .strings("mountOptions", mountOptions)
        .member("linux", linux == null ? null : linux.toJson())
        .stringMap("annotations", annotations)
        .strings("potentiallyUnsafeConfigAnnotations", potentiallyUnsafeConfigAnnotations)
        .object();
  }
}

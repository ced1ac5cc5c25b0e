package io.jrun.specs.image;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.JsonWriter;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// One image of the `manifest.json` of `docker save`: paths in the archive.
public record DockerManifest(
    String config, List<String> repoTags, List<String> layers, Json.JsonObject unknown) {
  public DockerManifest {
    repoTags = List.copyOf(repoTags);
    layers = List.copyOf(layers);
  }

  /// Reads the whole document, an array.
  public static List<DockerManifest> readAll(byte[] json) {
    List<DockerManifest> manifests = new ArrayList<>();
    // the reader knows documents that are objects
    Json.JsonObject all = Json.JsonObject.EMPTY.with("images", Json.parse(json));
    manifests.addAll(
        JsonReader.read("manifest.json", all, r -> r.objects("images", DockerManifest::read)));
    return manifests;
  }

  static @Nullable DockerManifest read(JsonReader r) {
    return new DockerManifest(
        r.string("Config"), r.strings("RepoTags"), r.strings("Layers"), r.unknown());
  }

  public Json.JsonObject toJson() {
    return new JsonWriter(unknown)
        .string("Config", config)
        .strings("RepoTags", repoTags)
        .strings("Layers", layers)
        .object();
  }
}

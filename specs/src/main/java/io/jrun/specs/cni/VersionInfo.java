package io.jrun.specs.cni;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.JsonWriter;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What a plugin answers to VERSION.
public record VersionInfo(
    @Nullable String cniVersion, List<String> supportedVersions, Json.JsonObject unknown) {
  public VersionInfo {
    supportedVersions = List.copyOf(supportedVersions);
  }

  /// All that jrun knows.
  public static VersionInfo all(String cniVersion) {
    return new VersionInfo(
        cniVersion, CniVersion.ALL.stream().map(CniVersion::text).toList(), Json.JsonObject.EMPTY);
  }

  public static VersionInfo read(byte[] json) {
    return JsonReader.read("the plugin's version", json, VersionInfo::read);
  }

  static VersionInfo read(JsonReader r) {
    return new VersionInfo(
        r.optionalString("cniVersion"), r.strings("supportedVersions"), r.unknown());
  }

  public Json.JsonObject toJson() {
    return new JsonWriter(unknown)
        .string("cniVersion", cniVersion)
        .strings("supportedVersions", supportedVersions)
        .object();
  }
}

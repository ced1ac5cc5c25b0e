package io.jrun.runtime.cli;

import io.jrun.specs.json.Json.JsonObject;
import org.jspecify.annotations.Nullable;

/// The options of `jrun update`.
///
/// @param resourcesFile a file with changes, `-` for standard input; null where flags give them
/// @param changes a part of the spec's linux.resources, as the flags have it
/// @param l3CacheSchema of linux.intelRdt; null for no change
/// @param memBwSchema of linux.intelRdt; null for no change
public record UpdateOptions(
    GlobalOptions global,
    String id,
    @Nullable String resourcesFile,
    JsonObject changes,
    @Nullable String l3CacheSchema,
    @Nullable String memBwSchema) {
  /// A change of linux.resources alone.
  public UpdateOptions(
      GlobalOptions global, String id, @Nullable String resourcesFile, JsonObject changes) {
    this(global, id, resourcesFile, changes, null, null);
  }
}

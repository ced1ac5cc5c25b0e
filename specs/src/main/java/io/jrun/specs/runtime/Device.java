package io.jrun.specs.runtime;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.JsonWriter;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// A device node to make: `c`, `b`, `u` or `p`; ids and mode are uint32, null means the default.
public record Device(
    String type,
    String path,
    long major,
    long minor,
    @Nullable Long fileMode,
    @Nullable Long uid,
    @Nullable Long gid,
    Json.JsonObject unknown) {
  static Device read(JsonReader r) {
    return new Device(
        r.string("type"),
        r.string("path"),
        r.int64("major"),
        r.int64("minor"),
        r.optionalUint32("fileMode"),
        r.optionalUint32("uid"),
        r.optionalUint32("gid"),
        r.unknown());
  }

  /// The path without `.`, `..` and doubled slashes, resolved as text as runc does it.
  public String cleanPath() {
    return Path.of(path).normalize().toString();
  }

  public Json.JsonObject toJson() {
    return new JsonWriter(unknown)
        .string("type", type)
        .string("path", path)
        .number("major", major)
        .number("minor", minor)
        .optionalNumber("fileMode", fileMode)
        .optionalNumber("uid", uid)
        .optionalNumber("gid", gid)
        .object();
  }
}

package io.jrun.specs.runtime;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.JsonWriter;

/// A range of ids of a user namespace (user_namespaces(7)); all are uint32.
public record IdMapping(long containerId, long hostId, long size, Json.JsonObject unknown) {
  public static IdMapping of(long containerId, long hostId, long size) {
    return new IdMapping(containerId, hostId, size, Json.JsonObject.EMPTY);
  }

  static IdMapping read(JsonReader r) {
    return new IdMapping(
        r.requiredUint32("containerID"),
        r.requiredUint32("hostID"),
        r.requiredUint32("size"),
        r.unknown());
  }

  public Json.JsonObject toJson() {
    return new JsonWriter(unknown)
        .optionalNumber("containerID", containerId)
        .optionalNumber("hostID", hostId)
        .optionalNumber("size", size)
        .object();
  }
}

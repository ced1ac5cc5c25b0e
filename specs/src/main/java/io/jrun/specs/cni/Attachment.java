package io.jrun.specs.cni;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.JsonWriter;

/// A container's interface, as GC's `cni.dev/valid-attachments` lists those to keep.
public record Attachment(String containerId, String ifname) {
  public static Attachment read(JsonReader r) {
    return new Attachment(r.string("containerID"), r.string("ifname"));
  }

  public Json.JsonObject toJson() {
    return new JsonWriter(Json.JsonObject.EMPTY)
        .string("containerID", containerId)
        .string("ifname", ifname)
        .object();
  }
}

package io.jrun.specs.cni;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.JsonWriter;
import org.jspecify.annotations.Nullable;

/// A network interface that a plugin made; an empty sandbox is the host. What follows `sandbox` is
/// of 1.1.0.
public record Interface(
    String name,
    @Nullable String mac,
    @Nullable String sandbox,
    @Nullable Integer mtu,
    @Nullable String socketPath,
    @Nullable String pciId,
    Json.JsonObject unknown) {
  public Interface(
      String name, @Nullable String mac, @Nullable String sandbox, @Nullable Integer mtu) {
    this(name, mac, sandbox, mtu, null, null, Json.JsonObject.EMPTY);
  }

  static Interface read(JsonReader r) {
    return new Interface(
        r.string("name"),
        r.optionalString("mac"),
        r.optionalString("sandbox"),
        r.optionalInt32("mtu"),
        r.optionalString("socketPath"),
        r.optionalString("pciID"),
        r.unknown());
  }

  Json.JsonObject toJson() {
    return new JsonWriter(unknown)
        .string("name", name)
        .string("mac", mac)
        .optionalNumber("mtu", mtu)
        .string("sandbox", sandbox)
        .string("socketPath", socketPath)
        .string("pciID", pciId)
        .object();
  }

  /// As versions before 1.1.0 have it.
  Json.JsonObject toOldJson() {
    return new JsonWriter(Json.JsonObject.EMPTY)
        .string("name", name)
        .string("mac", mac)
        .string("sandbox", sandbox)
        .object();
  }
}

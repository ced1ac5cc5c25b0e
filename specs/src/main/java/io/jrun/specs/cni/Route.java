package io.jrun.specs.cni;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.JsonWriter;
import org.jspecify.annotations.Nullable;

/// A route of a result or of an IPAM configuration; without `gw` it goes through the address's
/// gateway. What follows `gw` is of 1.1.0.
public record Route(
    String dst,
    @Nullable String gw,
    @Nullable Integer mtu,
    @Nullable Integer advmss,
    @Nullable Integer priority,
    @Nullable Integer table,
    @Nullable Integer scope,
    Json.JsonObject unknown) {
  public Route(String dst, @Nullable String gw) {
    this(dst, gw, null, null, null, null, null, Json.JsonObject.EMPTY);
  }

  public static Route read(JsonReader r) {
    return new Route(
        r.string("dst"),
        r.optionalString("gw"),
        r.optionalInt32("mtu"),
        r.optionalInt32("advmss"),
        r.optionalInt32("priority"),
        r.optionalInt32("table"),
        r.optionalInt32("scope"),
        r.unknown());
  }

  public boolean isIpv6() {
    return dst.indexOf(':') >= 0;
  }

  public Json.JsonObject toJson() {
    return new JsonWriter(unknown)
        .string("dst", dst)
        .string("gw", gw)
        .optionalNumber("mtu", mtu)
        .optionalNumber("advmss", advmss)
        .optionalNumber("priority", priority)
        .optionalNumber("table", table)
        .optionalNumber("scope", scope)
        .object();
  }

  /// As versions before 1.1.0 have it.
  Json.JsonObject toOldJson() {
    return new JsonWriter(Json.JsonObject.EMPTY).string("dst", dst).string("gw", gw).object();
  }
}

package io.jrun.specs.cni;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.JsonWriter;
import org.jspecify.annotations.Nullable;

/// An address with its prefix length; `interfaceIndex` counts the result's interfaces.
public record IpConfig(
    String address,
    @Nullable String gateway,
    @Nullable Integer interfaceIndex,
    Json.JsonObject unknown) {
  public IpConfig(String address, @Nullable String gateway, @Nullable Integer interfaceIndex) {
    this(address, gateway, interfaceIndex, Json.JsonObject.EMPTY);
  }

  static IpConfig read(JsonReader r) {
    String address = r.string("address");
    String gateway = r.optionalString("gateway");
    Integer index = r.optionalInt32("interface");
    r.optionalString("version"); // of 0.3.x and 0.4.0: the address tells it
    return new IpConfig(address, gateway, index, r.unknown());
  }

  public boolean isIpv6() {
    return address.indexOf(':') >= 0;
  }

  public IpConfig on(int index) {
    return new IpConfig(address, gateway, index, unknown);
  }

  Json.JsonObject toJson() {
    return new JsonWriter(unknown)
        .optionalNumber("interface", interfaceIndex)
        .string("address", address)
        .string("gateway", gateway)
        .object();
  }

  /// As 0.3.x and 0.4.0 have it.
  Json.JsonObject toOldJson() {
    return new JsonWriter(Json.JsonObject.EMPTY)
        .string("version", isIpv6() ? "6" : "4")
        .optionalNumber("interface", interfaceIndex)
        .string("address", address)
        .string("gateway", gateway)
        .object();
  }
}

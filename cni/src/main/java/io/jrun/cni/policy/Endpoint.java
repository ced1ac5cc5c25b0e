package io.jrun.cni.policy;

import io.jrun.cni.address.IpAddress;
import io.jrun.specs.cni.Attachment;
import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.JsonWriter;
import java.util.ArrayList;
import java.util.List;

/// A container's interface that policies may be about.
///
/// @param link its end on the host; empty for one on another node
/// @param bridge of which that is a port; empty as well
/// @param isRouted whether the bridge is a gateway, without which nothing can be kept from it
public record Endpoint(
    String network,
    Attachment holder,
    List<IpAddress> addresses,
    Identity identity,
    String link,
    String bridge,
    boolean isRouted) {
  public Endpoint {
    addresses = List.copyOf(addresses);
  }

  boolean isLocal() {
    return !link.isEmpty();
  }

  static Endpoint read(JsonReader r) {
    List<IpAddress> addresses = new ArrayList<>();
    for (String text : r.strings("addresses")) {
      IpAddress.parse(text).ifPresent(addresses::add);
    }
    return new Endpoint(
        r.string("network"),
        new Attachment(r.string("containerId"), r.string("ifname")),
        addresses,
        Identity.read(r),
        r.string("link"),
        r.string("bridge"),
        r.bool("isRouted"));
  }

  /// One on another node, from what that node wrote down of it.
  public static Endpoint remote(String network, IpAddress address, Json.JsonObject holder) {
    return JsonReader.read(
        "the holder of " + address,
        holder,
        r ->
            new Endpoint(
                network,
                new Attachment(r.string("containerId"), r.string("ifname")),
                List.of(address),
                Identity.read(r),
                "",
                "",
                true));
  }

  /// What other nodes may know of it.
  public Json.JsonObject holderJson() {
    return identity.addTo(
        Json.JsonObject.EMPTY
            .with("containerId", Json.of(holder.containerId()))
            .with("ifname", Json.of(holder.ifname())));
  }

  Json.JsonObject toJson() {
    return new JsonWriter(holderJson())
        .string("network", network)
        .member("addresses", Json.ofStrings(addresses.stream().map(IpAddress::toString).toList()))
        .string("link", link)
        .string("bridge", bridge)
        .member("isRouted", Json.of(isRouted))
        .object();
  }
}

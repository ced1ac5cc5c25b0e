package io.jrun.specs.cni;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.JsonWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// What ADD gives, in the shape of 1.1.0 whatever the version it was read from or is written in.
public record CniResult(
    List<Interface> interfaces,
    List<IpConfig> ips,
    List<Route> routes,
    Dns dns,
    Json.JsonObject unknown) {
  public static final CniResult EMPTY =
      new CniResult(List.of(), List.of(), List.of(), Dns.NONE, Json.JsonObject.EMPTY);

  public CniResult {
    interfaces = List.copyOf(interfaces);
    ips = List.copyOf(ips);
    routes = List.copyOf(routes);
  }

  /// Reads a result of any version; one that names none has the version of its configuration.
  public static CniResult read(String document, byte[] json, CniVersion configured) {
    return JsonReader.read(document, json, r -> read(r, configured));
  }

  public static CniResult read(String document, Json.JsonObject json, CniVersion configured) {
    return JsonReader.read(document, json, r -> read(r, configured));
  }

  private static CniResult read(JsonReader r, CniVersion configured) {
    String text = r.optionalString("cniVersion");
    Optional<CniVersion> version = text == null ? Optional.of(configured) : CniVersion.parse(text);
    if (version.isEmpty() || !version.get().isKnown()) {
      r.problem("cniVersion", "unknown version \"" + text + "\"");
      return EMPTY;
    }
    return version.get().atLeast(CniVersion.V0_3_0) ? readList(r) : readPair(r);
  }

  private static CniResult readList(JsonReader r) {
    return new CniResult(
        r.objects("interfaces", Interface::read),
        r.objects("ips", IpConfig::read),
        r.objects("routes", Route::read),
        r.object("dns", Dns::read, Dns.NONE),
        r.unknown());
  }

  /// 0.1.0 and 0.2.0: one address for each family, with its own routes.
  private record Family(String ip, @Nullable String gateway, List<Route> routes) {
    static Family read(JsonReader r) {
      return new Family(
          r.string("ip"), r.optionalString("gateway"), r.objects("routes", Route::read));
    }
  }

  private static CniResult readPair(JsonReader r) {
    List<IpConfig> ips = new ArrayList<>();
    List<Route> routes = new ArrayList<>();
    for (String name : List.of("ip4", "ip6")) {
      Family family = r.object(name, Family::read);
      if (family == null) continue;
      ips.add(new IpConfig(family.ip, family.gateway, null));
      for (Route route : family.routes) {
        routes.add(route.gw() == null ? new Route(route.dst(), family.gateway) : route);
      }
    }
    return new CniResult(List.of(), ips, routes, r.object("dns", Dns::read, Dns.NONE), r.unknown());
  }

  /// This result as a document of that version; what the version cannot say is left out.
  public Json.JsonObject toJson(CniVersion version) {
    if (!version.atLeast(CniVersion.V0_3_0)) return toPair(version);
    boolean newest = version.atLeast(CniVersion.V1_1_0);
    boolean old = !version.atLeast(CniVersion.V1_0_0);
    JsonWriter writer =
        new JsonWriter(unknown)
            .string("cniVersion", version.text())
            .objects("interfaces", interfaces, newest ? Interface::toJson : Interface::toOldJson)
            .objects("ips", ips, old ? IpConfig::toOldJson : IpConfig::toJson)
            .objects("routes", routes, newest ? Route::toJson : Route::toOldJson);
    // the reference always writes it, and some callers expect it
    return writer.member("dns", dns.toJson()).object();
  }

  private Json.JsonObject toPair(CniVersion version) {
    JsonWriter writer = new JsonWriter(unknown).string("cniVersion", version.text());
    for (boolean six : new boolean[] {false, true}) {
      Optional<IpConfig> ip = ips.stream().filter(i -> i.isIpv6() == six).findFirst();
      if (ip.isEmpty()) continue;
      List<Route> mine = routes.stream().filter(route -> route.isIpv6() == six).toList();
      writer.member(
          six ? "ip6" : "ip4",
          new JsonWriter(Json.JsonObject.EMPTY)
              .string("ip", ip.get().address())
              .string("gateway", ip.get().gateway())
              .objects("routes", mine, Route::toOldJson)
              .object());
    }
    return writer.member("dns", dns.toJson()).object();
  }
}

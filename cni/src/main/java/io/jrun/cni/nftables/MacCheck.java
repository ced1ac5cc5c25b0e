package io.jrun.cni.nftables;

import io.jrun.specs.json.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/// Drops frames that a container sends with another hardware address than its own: what the
/// reference bridge does for `macspoofchk` with a chain and rules for each container is one rule
/// and two sets here.
///
/// ```
///   table bridge simplecni {
///     set mac_ports { type ifname }
///     set mac_bound { type ifname . ether_addr }
///     chain mac_prerouting { type filter hook prerouting priority -300
///       iifname @mac_ports iifname . ether saddr != @mac_bound drop } }
/// ```
public final class MacCheck {
  private static final String FAMILY = "bridge";
  private static final String TABLE = "simplecni";
  private static final String PORTS = "mac_ports";
  private static final String BOUND = "mac_bound";
  private static final String CHAIN = "mac_prerouting";
  private static final int DSTNAT_OF_BRIDGE = -300;

  private final Nftables nftables;

  public MacCheck(Nftables nftables) {
    this.nftables = nftables;
  }

  private static Json.JsonObject named(String name) {
    return Nft.in(FAMILY, TABLE, name);
  }

  private static Json element(String verb, String set, Json element) {
    return Nft.command(
        verb, "element", named(set).with("elem", new Json.JsonArray(List.of(element))));
  }

  /// Lets a port send from that address only.
  public void add(String port, String mac) {
    Json.JsonObject chain = named(CHAIN);
    Json ports = Nft.match("==", Nft.meta("iifname"), Json.of("@" + PORTS));
    Json others =
        Nft.match(
            "!=",
            Nft.concat(Nft.meta("iifname"), Nft.payload("ether", "saddr")),
            Json.of("@" + BOUND));
    nftables.run(
        List.of(
            Nft.command("add", "table", Nft.table(FAMILY, TABLE)),
            Nft.command("add", "set", named(PORTS).with("type", Json.of("ifname"))),
            Nft.command(
                "add",
                "set",
                named(BOUND).with("type", Json.ofStrings(List.of("ifname", "ether_addr")))),
            Nft.command(
                "add", "chain", Nft.hooked(chain, "filter", "prerouting", DSTNAT_OF_BRIDGE)),
            Nft.command("flush", "chain", chain),
            Nft.command(
                "add",
                "rule",
                Nft.rule(FAMILY, TABLE, CHAIN, "", List.of(ports, others, Nft.verdict("drop")))),
            element("add", BOUND, Nft.concat(Json.of(port), Json.of(mac))),
            element("add", PORTS, Json.of(port))));
  }

  /// Takes the checks of ports away; a port that has none is as it should be.
  public void remove(Predicate<String> isGone) {
    List<Json> commands = new ArrayList<>();
    for (Json element : elements(PORTS)) {
      if (element instanceof Json.JsonString(String port) && isGone.test(port)) {
        commands.add(element("delete", PORTS, element));
      }
    }
    for (Json element : elements(BOUND)) {
      if (element instanceof Json.JsonObject object
          && object.member("concat") instanceof Json.JsonArray(List<Json> parts)
          && parts.getFirst() instanceof Json.JsonString(String port)
          && isGone.test(port)) {
        commands.add(element("delete", BOUND, element));
      }
    }
    if (!commands.isEmpty()) nftables.run(commands);
  }

  private List<Json> elements(String set) {
    List<Json> listed;
    try {
      listed = nftables.list(Nft.command("list", "set", named(set)));
    } catch (NftablesException e) {
      if (e.isNotFound()) return List.of();
      throw e;
    }
    for (Json one : listed) {
      if (one instanceof Json.JsonObject object
          && object.member("set") instanceof Json.JsonObject what
          && what.member("elem") instanceof Json.JsonArray(List<Json> elements)) {
        return elements;
      }
    }
    return List.of();
  }
}

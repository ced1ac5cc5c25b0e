package io.jrun.cni.policy;

import static io.jrun.cni.policy.Ruleset.*;

import io.jrun.cni.nftables.Nft;
import io.jrun.specs.json.Json;
import java.util.List;

/// What holds whatever the policies say: who isolated containers are, that their packets come by
/// the policies' chains, and that no frame goes past them.
final class IsolationRules {
  private static final List<String> NEIGHBOURS =
      List.of(
          "nd-router-solicit",
          "nd-router-advert",
          "nd-neighbor-solicit",
          "nd-neighbor-advert",
          "mld-listener-query",
          "mld-listener-report",
          "mld-listener-done",
          "mld2-listener-report");

  private IsolationRules() {}

  static void addTo(Ruleset to) {
    for (AddressFamily f : AddressFamily.values()) {
      to.declare(NftSet.of(INET, "np_in" + f.digit(), f.type()));
      to.declare(NftSet.of(INET, "np_out" + f.digit(), f.type()));
      to.declare(NftSet.of(INET, "np_self" + f.digit(), f.type(), f.type()));
      to.declare(NftSet.of(BRIDGE, "np_iso" + f.digit(), f.type()));
      to.declare(NftSet.of(BRIDGE, "np_bound" + f.digit(), "ifname", f.type()));
    }
    to.declare(NftSet.of(INET, "np_bridges", "ifname"));
    to.declare(NftSet.of(BRIDGE, "np_inports", "ifname"));
    to.declare(NftSet.of(BRIDGE, "np_outports", "ifname"));
    to.declare(NftSet.of(BRIDGE, "np_ports", "ifname"));
    to.declare(NftSet.map(BRIDGE, "np_macs", "ifname", "ether_addr"));
    inetRules(to);
    bridgeRules(to);
  }

  private static void inetRules(Ruleset to) {
    to.rule(
        INET,
        "np_forward",
        "",
        Nft.match("in", Nft.connectionState(), Json.ofStrings(List.of("established", "related"))),
        Nft.verdict("accept"));
    // where br_netfilter is loaded, frames of one bridge come by here too
    to.rule(INET, "np_forward", "", neighbours(), Nft.verdict("accept"));
    for (AddressFamily f : AddressFamily.values()) {
      to.rule(
          INET,
          "np_forward",
          "",
          Nft.match("==", Nft.concat(f.source(), f.destination()), at("np_self" + f.digit())),
          Nft.verdict("accept"));
    }
    for (AddressFamily f : AddressFamily.values()) {
      to.rule(
          INET,
          "np_forward",
          "",
          Nft.match("==", f.source(), at("np_out" + f.digit())),
          Nft.jump("np_egress"));
    }
    for (AddressFamily f : AddressFamily.values()) {
      to.rule(
          INET,
          "np_forward",
          "",
          Nft.match("==", f.destination(), at("np_in" + f.digit())),
          Nft.jump("np_ingress"));
    }
    // what comes in by a bridge and goes out by it again is routed on purpose
    Json toBridge = Nft.match("==", Nft.meta("oifname"), at("np_bridges"));
    to.rule(
        INET,
        "np_output",
        "",
        toBridge,
        Nft.match("==", Nft.payload("icmp", "type"), Json.of("redirect")),
        Nft.verdict("drop"));
    to.rule(
        INET,
        "np_output",
        "",
        toBridge,
        Nft.match("==", Nft.payload("icmpv6", "type"), Json.of("nd-redirect")),
        Nft.verdict("drop"));
  }

  private static Json neighbours() {
    return Nft.match(
        "==",
        Nft.payload("icmpv6", "type"),
        Nft.set(NEIGHBOURS.stream().map(Json::of).toArray(Json[]::new)));
  }

  /// nf_conntrack knows bridges only where the kernel was built so; sending frames to the bridge
  /// needs no more than every kernel has.
  private static void bridgeRules(Ruleset to) {
    Json neighbours = neighbours();
    Json fromIsolated = Nft.match("==", Nft.meta("iifname"), at("np_outports"));
    to.rule(BRIDGE, "np_prerouting", "", neighbours, Nft.verdict("accept"));
    for (AddressFamily f : AddressFamily.values()) {
      Json bound =
          Nft.match("!=", Nft.concat(Nft.meta("iifname"), f.source()), at("np_bound" + f.digit()));
      to.rule(BRIDGE, "np_prerouting", "", fromIsolated, bound, Nft.verdict("drop"));
    }
    Json toAnother = Nft.match("==", Nft.meta("pkttype"), Json.of("other"));
    for (AddressFamily f : AddressFamily.values()) {
      for (Json end : List.of(f.source(), f.destination())) {
        to.rule(
            BRIDGE,
            "np_prerouting",
            "",
            toAnother,
            Nft.match("==", end, at("np_iso" + f.digit())),
            Json.JsonObject.EMPTY.with(
                "goto", Json.JsonObject.EMPTY.with("target", Json.of("np_route"))));
      }
    }
    to.rule(
        BRIDGE,
        "np_route",
        "",
        Nft.mangle(Nft.payload("ether", "daddr"), Nft.lookup(Nft.meta("iifname"), "np_macs")),
        Nft.mangle(Nft.meta("pkttype"), Json.of("host")),
        Nft.verdict("accept"));
    to.rule(BRIDGE, "np_forward", "", neighbours, Nft.verdict("accept"));
    to.rule(
        BRIDGE,
        "np_forward",
        "",
        Nft.match("==", Nft.meta("protocol"), Json.of("arp")),
        Nft.verdict("accept"));
    forwardTranslated(to);
    to.rule(BRIDGE, "np_forward", "", fromIsolated, Nft.verdict("drop"));
    to.rule(
        BRIDGE,
        "np_forward",
        "",
        Nft.match("==", Nft.meta("oifname"), at("np_inports")),
        Nft.verdict("drop"));
  }

  /// What was sent to the bridge and yet goes on from port to port has got another destination
  /// there, by br_netfilter: a published port of the node, or a service, that a neighbour has.
  /// br_netfilter, which comes behind this chain, lets the forward hook of IP judge it.
  private static void forwardTranslated(Ruleset to) {
    Json fromContainer = Nft.match("==", Nft.meta("iifname"), at("np_ports"));
    Json unicast = Nft.match("==", Nft.meta("pkttype"), Nft.set(Json.of("host"), Json.of("other")));
    for (AddressFamily f : AddressFamily.values()) {
      for (Json end : List.of(f.source(), f.destination())) {
        Json isolated = Nft.match("==", end, at("np_iso" + f.digit()));
        to.rule(BRIDGE, "np_forward", "", fromContainer, unicast, isolated, Nft.verdict("accept"));
      }
    }
  }
}

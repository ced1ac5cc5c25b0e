package io.jrun.cni.policy;

import io.jrun.cni.nftables.Nft;
import io.jrun.cni.nftables.SetElement;
import io.jrun.specs.json.Json;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/// What policies become in nftables. Rules speak of sets alone, so containers that come and go are
/// elements.
///
/// ```
///   table inet simplecni {                          connections that are routed
///     chain np_forward { type filter hook forward priority 0
///       ct state established,related accept
///       icmpv6 type { nd-neighbor-solicit, … } accept
///       ip saddr . ip daddr @np_self4 accept
///       ip saddr @np_out4 jump np_egress            a container that a policy isolates
///       ip daddr @np_in4 jump np_ingress }
///     chain np_ingress {
///       ip daddr @np_P_sel4 ip saddr @np_P_i0_pod4 meta l4proto . th dport @np_P_i0_port
///         counter name np_P_i0 return
///       ip daddr @np_P_sel4 counter name np_P_i_denied
///       drop } }
///   table bridge simplecni {                        frames from one port of a bridge to another
///     chain np_prerouting { type filter hook prerouting priority -300
///       iifname @np_outports iifname . ip saddr != @np_bound4 drop
///       ip saddr @np_iso4 goto np_route             never go past the first table: they are sent
///       ip daddr @np_iso4 goto np_route }           to the bridge itself, which routes them
///     chain np_route { ether daddr set iifname map @np_macs meta pkttype set host accept }
///     chain np_forward { type filter hook forward priority 0
///       iifname @np_ports ip daddr @np_iso4 accept  went there, and br_netfilter translated it
///       iifname @np_outports drop
///       oifname @np_inports drop } }
/// ```
final class Ruleset {
  static final String PREFIX = "np_";
  static final String INET = "inet";
  static final String BRIDGE = "bridge";
  private static final String TABLE = "simplecni";
  private static final int DSTNAT_OF_BRIDGE = -300;

  /// A rule in a chain of ours.
  record Rule(String family, String chain, String comment, List<Json> expressions) {
    Json command() {
      return Nft.command("add", "rule", Nft.rule(family, TABLE, chain, comment, expressions));
    }
  }

  private final Placement placement;
  private final SequencedMap<String, NftSet> sets = new LinkedHashMap<>();
  private final List<String> counters = new ArrayList<>();
  private final List<Rule> rules = new ArrayList<>();

  Ruleset(List<NetworkPolicy> policies, Peer.Namespaces namespaces) {
    this.placement = new Placement(PolicyIndex.of(policies), namespaces);
    IsolationRules.addTo(this);
    PolicyRules.addTo(this, policies);
  }

  void declare(NftSet set) {
    sets.put(set.family() + " " + set.name(), set);
  }

  void declareCounter(String name) {
    counters.add(name);
  }

  void rule(String family, String chain, String comment, Json... expressions) {
    rules.add(new Rule(family, chain, comment, List.of(expressions)));
  }

  /// As an expression has a set.
  static Json at(String set) {
    return Json.of("@" + set);
  }

  List<NftSet> sets() {
    return List.copyOf(sets.values());
  }

  List<String> counters() {
    return List.copyOf(counters);
  }

  List<Rule> rules() {
    return List.copyOf(rules);
  }

  static Json.JsonObject named(String family, String name) {
    return Nft.in(family, TABLE, name);
  }

  static Json.JsonObject table(String family) {
    return Nft.table(family, TABLE);
  }

  /// The chains, each before those that jump to it.
  static List<Json.JsonObject> chains() {
    return List.of(
        named(INET, "np_ingress"),
        named(INET, "np_egress"),
        Nft.hooked(named(INET, "np_forward"), "filter", "forward", 0),
        Nft.hooked(named(INET, "np_output"), "filter", "output", 0),
        named(BRIDGE, "np_route"),
        Nft.hooked(named(BRIDGE, "np_prerouting"), "filter", "prerouting", DSTNAT_OF_BRIDGE),
        Nft.hooked(named(BRIDGE, "np_forward"), "filter", "forward", 0));
  }

  /// Puts an endpoint into every set that it is of; its bridge has been told.
  void place(Endpoint endpoint) {
    placement.of(endpoint).forEach(this::put);
  }

  private void put(SetElement element) {
    NftSet set = sets.get(element.family() + " " + element.set());
    if (set == null) throw new IllegalStateException("no set " + element.set());
    set.put(element.json());
  }

  /// Tells of a bridge, where the frames of its ports are to be sent for it to route them.
  void bridge(String name, String mac) {
    placement.bridge(name, mac);
    put(Placement.ofBridge(name));
  }

  /// The elements, as commands.
  List<Json> elements() {
    List<Json> commands = new ArrayList<>();
    for (Map.Entry<String, NftSet> entry : sets.entrySet()) {
      NftSet set = entry.getValue();
      if (set.elements().isEmpty()) continue;
      commands.add(
          Nft.command(
              "add",
              "element",
              named(set.family(), set.name())
                  .with("elem", new Json.JsonArray(List.copyOf(set.elements())))));
    }
    return commands;
  }
}

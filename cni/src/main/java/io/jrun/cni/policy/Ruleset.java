package io.jrun.cni.policy;

import io.jrun.cni.nftables.Nft;
import io.jrun.cni.nftables.SetElement;
import io.jrun.specs.json.Json;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

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
///       iifname @np_outports drop
///       oifname @np_inports drop } }
/// ```
final class Ruleset {
  static final String PREFIX = "np_";
  static final String INET = "inet";
  static final String BRIDGE = "bridge";
  private static final String TABLE = "simplecni";
  private static final int DSTNAT_OF_BRIDGE = -300;
  private static final int ID_BYTES = 6;
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

  /// A rule in a chain of ours.
  record Rule(String family, String chain, String comment, List<Json> expressions) {
    Json command() {
      return Nft.command("add", "rule", Nft.rule(family, TABLE, chain, comment, expressions));
    }
  }

  /// The address families, as the parts of names and of expressions.
  private enum Family {
    V4("4", "ip", "ipv4_addr"),
    V6("6", "ip6", "ipv6_addr");

    private final String digit;
    private final String word;
    private final String type;

    Family(String digit, String word, String type) {
      this.digit = digit;
      this.word = word;
      this.type = type;
    }

    Json source() {
      return Nft.payload(word, "saddr");
    }

    Json destination() {
      return Nft.payload(word, "daddr");
    }
  }

  private final List<NetworkPolicy> policies;
  private final Placement placement;
  private final SequencedMap<String, NftSet> sets = new LinkedHashMap<>();
  private final List<String> counters = new ArrayList<>();
  private final List<Rule> rules = new ArrayList<>();

  Ruleset(List<NetworkPolicy> policies, Peer.Namespaces namespaces) {
    this.policies = List.copyOf(policies);
    this.placement = new Placement(PolicyIndex.of(policies), namespaces);
    declareShared();
    declarePolicies();
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

  // ---- names ----

  static String id(NetworkPolicy policy) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256")
              .digest(policy.title().getBytes(StandardCharsets.UTF_8));
      return PREFIX + HexFormat.of().formatHex(digest, 0, ID_BYTES);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  static String counter(NetworkPolicy policy, boolean isIngress, int rule) {
    return id(policy) + (isIngress ? "_i" : "_e") + rule;
  }

  static String deniedCounter(NetworkPolicy policy, boolean isIngress) {
    return id(policy) + (isIngress ? "_i" : "_e") + "_denied";
  }

  // ---- sets ----

  private void declare(NftSet set) {
    sets.put(set.family() + " " + set.name(), set);
  }

  private static Json at(String set) {
    return Json.of("@" + set);
  }

  private void declareShared() {
    for (Family f : Family.values()) {
      declare(NftSet.of(INET, "np_in" + f.digit, f.type));
      declare(NftSet.of(INET, "np_out" + f.digit, f.type));
      declare(NftSet.of(INET, "np_self" + f.digit, f.type, f.type));
      declare(NftSet.of(BRIDGE, "np_iso" + f.digit, f.type));
      declare(NftSet.of(BRIDGE, "np_bound" + f.digit, "ifname", f.type));
    }
    declare(NftSet.of(INET, "np_bridges", "ifname"));
    declare(NftSet.of(BRIDGE, "np_inports", "ifname"));
    declare(NftSet.of(BRIDGE, "np_outports", "ifname"));
    declare(NftSet.map(BRIDGE, "np_macs", "ifname", "ether_addr"));
    inetRules();
    bridgeRules();
  }

  private void rule(String family, String chain, String comment, Json... expressions) {
    rules.add(new Rule(family, chain, comment, List.of(expressions)));
  }

  private void inetRules() {
    rule(
        INET,
        "np_forward",
        "",
        Nft.match("in", Nft.connectionState(), Json.ofStrings(List.of("established", "related"))),
        Nft.verdict("accept"));
    // where br_netfilter is loaded, frames of one bridge come by here too
    rule(INET, "np_forward", "", neighbours(), Nft.verdict("accept"));
    for (Family f : Family.values()) {
      rule(
          INET,
          "np_forward",
          "",
          Nft.match("==", Nft.concat(f.source(), f.destination()), at("np_self" + f.digit)),
          Nft.verdict("accept"));
    }
    for (Family f : Family.values()) {
      rule(
          INET,
          "np_forward",
          "",
          Nft.match("==", f.source(), at("np_out" + f.digit)),
          Nft.jump("np_egress"));
    }
    for (Family f : Family.values()) {
      rule(
          INET,
          "np_forward",
          "",
          Nft.match("==", f.destination(), at("np_in" + f.digit)),
          Nft.jump("np_ingress"));
    }
    // what comes in by a bridge and goes out by it again is routed on purpose
    Json toBridge = Nft.match("==", Nft.meta("oifname"), at("np_bridges"));
    rule(
        INET,
        "np_output",
        "",
        toBridge,
        Nft.match("==", Nft.payload("icmp", "type"), Json.of("redirect")),
        Nft.verdict("drop"));
    rule(
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
  private void bridgeRules() {
    Json neighbours = neighbours();
    Json fromIsolated = Nft.match("==", Nft.meta("iifname"), at("np_outports"));
    rule(BRIDGE, "np_prerouting", "", neighbours, Nft.verdict("accept"));
    for (Family f : Family.values()) {
      Json bound =
          Nft.match("!=", Nft.concat(Nft.meta("iifname"), f.source()), at("np_bound" + f.digit));
      rule(BRIDGE, "np_prerouting", "", fromIsolated, bound, Nft.verdict("drop"));
    }
    Json toAnother = Nft.match("==", Nft.meta("pkttype"), Json.of("other"));
    for (Family f : Family.values()) {
      for (Json end : List.of(f.source(), f.destination())) {
        rule(
            BRIDGE,
            "np_prerouting",
            "",
            toAnother,
            Nft.match("==", end, at("np_iso" + f.digit)),
            Json.JsonObject.EMPTY.with(
                "goto", Json.JsonObject.EMPTY.with("target", Json.of("np_route"))));
      }
    }
    rule(
        BRIDGE,
        "np_route",
        "",
        Nft.mangle(Nft.payload("ether", "daddr"), Nft.lookup(Nft.meta("iifname"), "np_macs")),
        Nft.mangle(Nft.meta("pkttype"), Json.of("host")),
        Nft.verdict("accept"));
    rule(BRIDGE, "np_forward", "", neighbours, Nft.verdict("accept"));
    rule(
        BRIDGE,
        "np_forward",
        "",
        Nft.match("==", Nft.meta("protocol"), Json.of("arp")),
        Nft.verdict("accept"));
    rule(BRIDGE, "np_forward", "", fromIsolated, Nft.verdict("drop"));
    rule(
        BRIDGE,
        "np_forward",
        "",
        Nft.match("==", Nft.meta("oifname"), at("np_inports")),
        Nft.verdict("drop"));
  }

  // ---- policies ----

  private void declarePolicies() {
    for (NetworkPolicy policy : policies) {
      for (Family f : Family.values())
        declare(NftSet.of(INET, id(policy) + "_sel" + f.digit, f.type));
      if (policy.isOfIngress()) directed(policy, true, policy.ingress());
      if (policy.isOfEgress()) directed(policy, false, policy.egress());
    }
    // only behind what all of them allow is it known that something is denied
    for (NetworkPolicy policy : policies) {
      if (policy.isOfIngress()) denied(policy, true);
      if (policy.isOfEgress()) denied(policy, false);
    }
    rule(INET, "np_ingress", "", Nft.verdict("drop"));
    rule(INET, "np_egress", "", Nft.verdict("drop"));
  }

  private static String chain(boolean isIngress) {
    return isIngress ? "np_ingress" : "np_egress";
  }

  private static Json selected(NetworkPolicy policy, boolean isIngress, Family f) {
    return Nft.match(
        "==", isIngress ? f.destination() : f.source(), at(id(policy) + "_sel" + f.digit));
  }

  private void denied(NetworkPolicy policy, boolean isIngress) {
    String counter = deniedCounter(policy, isIngress);
    counters.add(counter);
    for (Family f : Family.values()) {
      rule(
          INET,
          chain(isIngress),
          policy.title(),
          selected(policy, isIngress, f),
          Nft.count(counter));
    }
  }

  private void directed(NetworkPolicy policy, boolean isIngress, List<NetworkPolicy.Rule> rules) {
    for (int i = 0; i < rules.size(); i++) {
      String name = counter(policy, isIngress, i);
      counters.add(name);
      for (Family f : Family.values()) allow(policy, isIngress, rules.get(i), name, f);
    }
  }

  private void allow(
      NetworkPolicy policy, boolean isIngress, NetworkPolicy.Rule rule, String name, Family f) {
    Json far = isIngress ? f.source() : f.destination();
    for (@Nullable Json peer : peers(rule, name, far, f)) {
      for (@Nullable Json port : ports(rule, name, f)) {
        List<Json> expressions = new ArrayList<>();
        expressions.add(selected(policy, isIngress, f));
        if (peer != null) expressions.add(peer);
        if (port != null) expressions.add(port);
        expressions.add(Nft.count(name));
        expressions.add(Nft.verdict("return"));
        rules.add(new Rule(INET, chain(isIngress), policy.title(), expressions));
      }
    }
  }

  /// The ways in which a packet can be one of a rule's peers; null for whatever it is.
  private List<@Nullable Json> peers(NetworkPolicy.Rule rule, String name, Json far, Family f) {
    List<@Nullable Json> ways = new ArrayList<>();
    if (rule.peers().isEmpty()) ways.add(null);
    if (rule.peers().stream().anyMatch(Peer.Selected.class::isInstance)) {
      declare(NftSet.of(INET, name + "_pod" + f.digit, f.type));
      ways.add(Nft.match("==", far, at(name + "_pod" + f.digit)));
    }
    List<Peer.Block> blocks =
        rule.peers().stream()
            .filter(Peer.Block.class::isInstance)
            .map(Peer.Block.class::cast)
            .filter(block -> block.cidr().isIpv6() == (f == Family.V6))
            .toList();
    if (!blocks.isEmpty()) {
      NftSet set = NftSet.ofIntervals(INET, name + "_net" + f.digit, f.type);
      CidrDifference.of(blocks).forEach(cidr -> set.put(Nft.prefix(cidr)));
      declare(set);
      ways.add(Nft.match("==", far, at(set.name())));
    }
    return ways;
  }

  /// The ways in which a packet can be for one of a rule's ports; null for whatever it is for.
  private List<@Nullable Json> ports(NetworkPolicy.Rule rule, String name, Family f) {
    List<@Nullable Json> ways = new ArrayList<>();
    if (rule.ports().isEmpty()) ways.add(null);
    Json protocol = Nft.meta("l4proto");
    Json port = Nft.payload("th", "dport");
    if (rule.ports().stream().anyMatch(range -> range.name() == null)) {
      NftSet set = NftSet.ofIntervals(INET, name + "_port", "inet_proto", "inet_service");
      PortRanges.merged(rule.ports())
          .forEach(range ->
              set.put(
                  Nft.concat(
                      Json.of(range.protocol().word()),
                      range.first() == range.last()
                          ? Json.of(range.first())
                          : Nft.range(Json.of(range.first()), Json.of(range.last())))));
      declare(set);
      ways.add(Nft.match("==", Nft.concat(protocol, port), at(set.name())));
    }
    if (rule.ports().stream().anyMatch(range -> range.name() != null)) {
      String set = name + "_name" + f.digit;
      declare(NftSet.of(INET, set, f.type, "inet_proto", "inet_service"));
      ways.add(Nft.match("==", Nft.concat(f.destination(), protocol, port), at(set)));
    }
    return ways;
  }

  // ---- endpoints ----

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

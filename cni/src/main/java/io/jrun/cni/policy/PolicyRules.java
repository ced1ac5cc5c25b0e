package io.jrun.cni.policy;

import static io.jrun.cni.policy.Ruleset.*;

import io.jrun.cni.nftables.Nft;
import io.jrun.specs.json.Json;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What the policies themselves say: for each of their rules sets of peers and ports, a counter,
/// and the packets it lets through; behind all of them, what is denied.
final class PolicyRules {
  private static final int ID_BYTES = 6;

  private final Ruleset to;

  private PolicyRules(Ruleset to) {
    this.to = to;
  }

  static void addTo(Ruleset to, List<NetworkPolicy> policies) {
    PolicyRules rules = new PolicyRules(to);
    policies.forEach(rules::allowed);
    // only behind what all of them allow is it known that something is denied
    policies.forEach(rules::denied);
    to.rule(INET, "np_ingress", "", Nft.verdict("drop"));
    to.rule(INET, "np_egress", "", Nft.verdict("drop"));
  }

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

  private void allowed(NetworkPolicy policy) {
    for (AddressFamily f : AddressFamily.values())
      to.declare(NftSet.of(INET, id(policy) + "_sel" + f.digit(), f.type()));
    if (policy.isOfIngress()) directed(policy, true, policy.ingress());
    if (policy.isOfEgress()) directed(policy, false, policy.egress());
  }

  private void denied(NetworkPolicy policy) {
    if (policy.isOfIngress()) denied(policy, true);
    if (policy.isOfEgress()) denied(policy, false);
  }

  private static String chain(boolean isIngress) {
    return isIngress ? "np_ingress" : "np_egress";
  }

  private static Json selected(NetworkPolicy policy, boolean isIngress, AddressFamily f) {
    return Nft.match(
        "==", isIngress ? f.destination() : f.source(), at(id(policy) + "_sel" + f.digit()));
  }

  private void denied(NetworkPolicy policy, boolean isIngress) {
    String counter = deniedCounter(policy, isIngress);
    to.declareCounter(counter);
    for (AddressFamily f : AddressFamily.values()) {
      to.rule(
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
      to.declareCounter(name);
      for (AddressFamily f : AddressFamily.values())
        allow(policy, isIngress, rules.get(i), name, f);
    }
  }

  private void allow(
      NetworkPolicy policy,
      boolean isIngress,
      NetworkPolicy.Rule rule,
      String name,
      AddressFamily f) {
    Json far = isIngress ? f.source() : f.destination();
    for (@Nullable Json peer : peers(rule, name, far, f)) {
      for (@Nullable Json port : ports(rule, name, f)) {
        List<Json> expressions = new ArrayList<>();
        expressions.add(selected(policy, isIngress, f));
        if (peer != null) expressions.add(peer);
        if (port != null) expressions.add(port);
        expressions.add(Nft.count(name));
        expressions.add(Nft.verdict("return"));
        to.rule(INET, chain(isIngress), policy.title(), expressions.toArray(Json[]::new));
      }
    }
  }

  /// The ways in which a packet can be one of a rule's peers; null for whatever it is.
  private List<@Nullable Json> peers(
      NetworkPolicy.Rule rule, String name, Json far, AddressFamily f) {
    List<@Nullable Json> ways = new ArrayList<>();
    if (rule.peers().isEmpty()) ways.add(null);
    if (rule.peers().stream().anyMatch(Peer.Selected.class::isInstance)) {
      to.declare(NftSet.of(INET, name + "_pod" + f.digit(), f.type()));
      ways.add(Nft.match("==", far, at(name + "_pod" + f.digit())));
    }
    List<Peer.Block> blocks =
        rule.peers().stream()
            .filter(Peer.Block.class::isInstance)
            .map(Peer.Block.class::cast)
            .filter(block -> block.cidr().isIpv6() == (f == AddressFamily.V6))
            .toList();
    if (!blocks.isEmpty()) {
      NftSet set = NftSet.ofIntervals(INET, name + "_net" + f.digit(), f.type());
      CidrDifference.of(blocks).forEach(cidr -> set.put(Nft.prefix(cidr)));
      to.declare(set);
      ways.add(Nft.match("==", far, at(set.name())));
    }
    return ways;
  }

  /// The ways in which a packet can be for one of a rule's ports; null for whatever it is for.
  private List<@Nullable Json> ports(NetworkPolicy.Rule rule, String name, AddressFamily f) {
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
      to.declare(set);
      ways.add(Nft.match("==", Nft.concat(protocol, port), at(set.name())));
    }
    if (rule.ports().stream().anyMatch(range -> range.name() != null)) {
      String set = name + "_name" + f.digit();
      to.declare(NftSet.of(INET, set, f.type(), "inet_proto", "inet_service"));
      ways.add(Nft.match("==", Nft.concat(f.destination(), protocol, port), at(set)));
    }
    return ways;
  }
}

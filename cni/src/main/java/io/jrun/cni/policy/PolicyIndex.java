package io.jrun.cni.policy;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/// Policies by the labels that they speak of, so that who asks for those of one container need not
/// look at the others.
///
/// @param byLabel the policies, as indexes into the list, that can be about a container only if it
///   has that label
/// @param byPort those that give a port that name
/// @param others those that can be about every container
/// @param ids as nftables knows the policies, in the list's order
record PolicyIndex(
    List<NetworkPolicy> policies,
    List<String> ids,
    Map<Map.Entry<String, String>, List<Integer>> byLabel,
    Map<String, List<Integer>> byPort,
    List<Integer> others) {

  static PolicyIndex of(List<NetworkPolicy> policies) {
    PolicyIndex index =
        new PolicyIndex(
            List.copyOf(policies),
            policies.stream().map(PolicyRules::id).toList(),
            new HashMap<>(),
            new HashMap<>(),
            new ArrayList<>());
    for (int i = 0; i < policies.size(); i++) index.enter(i, policies.get(i));
    return index;
  }

  private void enter(int index, NetworkPolicy policy) {
    enter(index, policy.podSelector());
    for (List<NetworkPolicy.Rule> rules : List.of(policy.ingress(), policy.egress())) {
      for (NetworkPolicy.Rule rule : rules) {
        for (Peer peer : rule.peers()) {
          if (peer instanceof Peer.Selected selected) enter(index, selected.pods());
        }
        for (PortRange range : rule.ports()) {
          if (range.name() != null) {
            byPort.computeIfAbsent(range.name(), name -> new ArrayList<>()).add(index);
          }
        }
      }
    }
  }

  /// A selector holds only where all of its labels are: one of them will do to find it.
  private void enter(int index, LabelSelector selector) {
    selector.matchLabels().entrySet().stream()
        .min(Map.Entry.comparingByKey())
        .map(label -> Map.entry(label.getKey(), label.getValue()))
        .ifPresentOrElse(
            label -> byLabel.computeIfAbsent(label, l -> new ArrayList<>()).add(index),
            () -> others.add(index));
  }

  /// The indexes of all policies that can be about a container, in their order.
  Iterable<Integer> about(Identity identity) {
    TreeSet<Integer> found = new TreeSet<>(others);
    for (Map.Entry<String, String> label : identity.labels().entrySet()) {
      found.addAll(byLabel.getOrDefault(label, List.of()));
    }
    for (NamedPort port : identity.ports()) {
      found.addAll(byPort.getOrDefault(port.name(), List.of()));
    }
    return found;
  }

  /// Whether any policy isolates it.
  boolean isIsolated(Endpoint endpoint) {
    if (!endpoint.isLocal()) return false;
    for (int index : about(endpoint.identity())) {
      if (policies.get(index).selects(endpoint.identity())) return true;
    }
    return false;
  }
}

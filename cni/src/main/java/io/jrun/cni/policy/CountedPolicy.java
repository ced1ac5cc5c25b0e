package io.jrun.cni.policy;

import io.jrun.specs.json.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// A policy with what has been counted.
///
/// @param selected how many containers of this machine it selects
/// @param rules each with its count, in the file's order, then what was denied in each direction
public record CountedPolicy(
    String namespace, String name, Json.JsonObject json, int selected, List<Rule> rules) {
  public CountedPolicy {
    rules = List.copyOf(rules);
  }

  /// @param text such as `ingress 0`, or `ingress denied`
  public record Rule(String text, long packets, long bytes) {}

  static CountedPolicy of(
      NetworkPolicy policy, Map<String, PolicyTables.Count> counts, List<Endpoint> endpoints) {
    List<Rule> rules = new ArrayList<>();
    for (boolean isIngress : new boolean[] {true, false}) {
      if (isIngress ? !policy.isOfIngress() : !policy.isOfEgress()) continue;
      String direction = isIngress ? "ingress " : "egress ";
      int count = (isIngress ? policy.ingress() : policy.egress()).size();
      for (int i = 0; i < count; i++) {
        rules.add(counted(direction + i, counts, PolicyRules.counter(policy, isIngress, i)));
      }
      rules.add(
          counted(direction + "denied", counts, PolicyRules.deniedCounter(policy, isIngress)));
    }
    int selected = (int) endpoints.stream().filter(e -> policy.selects(e.identity())).count();
    return new CountedPolicy(policy.namespace(), policy.name(), policy.json(), selected, rules);
  }

  private static Rule counted(String text, Map<String, PolicyTables.Count> counts, String counter) {
    PolicyTables.Count count = counts.getOrDefault(counter, new PolicyTables.Count(0, 0));
    return new Rule(text, count.packets(), count.bytes());
  }
}

package io.jrun.cni.policy;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrun.cni.address.IpAddress;
import io.jrun.cni.nftables.SetElement;
import io.jrun.specs.cni.Attachment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class PolicyIndexTest {
  private static final List<String> KEYS = List.of("a", "b", "c");
  private static final List<String> SELECTORS =
      List.of(
          "{}",
          "{matchLabels: {a: x}}",
          "{matchLabels: {a: y, b: x}}",
          "{matchExpressions: [{key: c, operator: Exists}]}",
          "{matchLabels: {b: y}, matchExpressions: [{key: a, operator: DoesNotExist}]}");

  private static Endpoint endpoint(Map<String, String> labels, NamedPort... ports) {
    return new Endpoint(
        "net",
        new Attachment("c", "eth0"),
        List.of(IpAddress.parse("10.0.0.2").orElseThrow()),
        new Identity("default", labels, List.of(ports)),
        "scnic",
        "sc0",
        true);
  }

  private static List<SetElement> elements(List<NetworkPolicy> policies, Endpoint endpoint) {
    return new Placement(PolicyIndex.of(policies), new Peer.Namespaces(Map.of())).of(endpoint);
  }

  @Test
  void whatManyPoliciesSayIsWhatEachOfThemSays() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    for (int round = 0; round < 60; round++) {
      List<NetworkPolicy> policies = new ArrayList<>();
      for (int i = 0; i < 6; i++) {
        policies.add(
            NetworkPolicyTest.policy(
                "p" + i,
                "{podSelector: %s, ingress: [{from: [{podSelector: %s}], ports: [{port: http}]}]}"
                    .formatted(any(SELECTORS, random), any(SELECTORS, random))));
      }
      Map<String, String> labels = new HashMap<>();
      for (String key : KEYS) {
        if (random.nextBoolean()) labels.put(key, random.nextBoolean() ? "x" : "y");
      }
      Endpoint endpoint =
          random.nextBoolean()
              ? endpoint(labels)
              : endpoint(labels, new NamedPort("http", 80, Protocol.TCP));
      HashSet<SetElement> each = new HashSet<>();
      for (NetworkPolicy one : policies) each.addAll(elements(List.of(one), endpoint));
      assertThat(elements(policies, endpoint))
          .as("seed %d, round %d", seed, round)
          .doesNotHaveDuplicates()
          .containsExactlyInAnyOrderElementsOf(each);
      assertThat(PolicyIndex.of(policies).isIsolated(endpoint))
          .as("seed %d, round %d", seed, round)
          .isEqualTo(policies.stream().anyMatch(p -> p.selects(endpoint.identity())));
    }
  }

  private static String any(List<String> of, Random random) {
    return of.get(random.nextInt(of.size()));
  }

  @Test
  void policiesOfOtherLabelsAreNotLookedAt() {
    List<NetworkPolicy> policies = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      policies.add(
          NetworkPolicyTest.policy(
              "p" + i, "{podSelector: {matchLabels: {a: v%d}}, ingress: []}".formatted(i)));
    }
    assertThat(PolicyIndex.of(policies).about(endpoint(Map.of("a", "v7")).identity()))
        .containsExactly(7);
  }
}

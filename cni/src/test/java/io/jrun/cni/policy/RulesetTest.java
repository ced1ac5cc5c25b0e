package io.jrun.cni.policy;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrun.cni.address.Cidr;
import io.jrun.cni.address.IpAddress;
import io.jrun.specs.cni.Attachment;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RulesetTest {
  private static Endpoint endpoint(
      String id, String address, Map<String, String> labels, NamedPort... ports) {
    return new Endpoint(
        "net",
        new Attachment(id, "eth0"),
        List.of(IpAddress.parse(address).orElseThrow()),
        new Identity("default", labels, List.of(ports)),
        "scni" + id,
        "sc0",
        true);
  }

  private static Ruleset ruleset(NetworkPolicy... policies) {
    return new Ruleset(List.of(policies), new Peer.Namespaces(Map.of()));
  }

  private static List<String> in(Ruleset rules, String set) {
    return rules.sets().stream()
        .filter(s -> s.name().endsWith(set))
        .flatMap(s -> s.elements().stream())
        .map(json -> json.toText().replace("\"", ""))
        .toList();
  }

  @Test
  void anEndpointIsInTheSetsOfWhatSelectsIt() {
    Ruleset rules =
        ruleset(
            NetworkPolicyTest.policy(
                """

                  podSelector: {matchLabels: {app: web}}
                  ingress:
                  - from: [{podSelector: {matchLabels: {app: front}}}]
                    ports: [{port: http}, {port: 80, endPort: 90}, {port: 85}, {port: 91}, {port: 53, protocol: UDP}]
                """));
    rules.bridge("sc0", "02:00:00:00:00:01");
    rules.place(
        endpoint("w", "10.0.0.2", Map.of("app", "web"), new NamedPort("http", 8080, Protocol.TCP)));
    rules.place(endpoint("f", "10.0.0.3", Map.of("app", "front")));
    rules.place(endpoint("x", "fd00::4", Map.of("app", "front")));
    assertThat(in(rules, "_sel4")).containsExactly("10.0.0.2");
    assertThat(in(rules, "_i0_pod4")).containsExactly("10.0.0.3");
    assertThat(in(rules, "_i0_pod6")).containsExactly("fd00::4");
    assertThat(in(rules, "_i0_name4")).containsExactly("{concat:[10.0.0.2,tcp,8080]}");
    assertThat(in(rules, "_i0_port"))
        .containsExactly("{concat:[tcp,{range:[80,91]}]}", "{concat:[udp,53]}");
    assertThat(in(rules, "np_in4")).containsExactly("10.0.0.2");
    assertThat(in(rules, "np_out4")).isEmpty();
    assertThat(in(rules, "np_inports")).containsExactly("scniw");
    assertThat(in(rules, "np_macs")).hasSize(3);
    // one rule for each family, kind of peer and kind of port
    assertThat(rules.rules())
        .filteredOn(rule -> rule.expressions().toString().contains("return"))
        .hasSize(4);
  }

  @Test
  void oneOfAnotherNodeIsAPeerAndNothingElse() {
    NetworkPolicy policy =
        NetworkPolicyTest.policy("{podSelector: {}, ingress: [{from: [{podSelector: {}}]}]}");
    Ruleset rules = ruleset(policy);
    Endpoint remote =
        Endpoint.remote(
            "net",
            IpAddress.parse("10.9.0.2").orElseThrow(),
            endpoint("r", "10.9.0.2", Map.of()).holderJson());
    rules.place(remote);
    assertThat(PolicyIndex.of(List.of(policy)).isIsolated(remote)).isFalse();
    assertThat(in(rules, "_i0_pod4")).containsExactly("10.9.0.2");
    assertThat(in(rules, "_sel4")).isEmpty();
    assertThat(in(rules, "np_in4")).isEmpty();
  }

  @Test
  void aRuleWhosePeersAreNobodyAllowsNobody() {
    Ruleset rules =
        ruleset(
            NetworkPolicyTest.policy(
                "{podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {app: none}}}]}]}"));
    assertThat(rules.rules())
        .filteredOn(rule -> rule.expressions().toString().contains("return"))
        .allSatisfy(rule -> assertThat(rule.expressions().toString()).contains("_i0_pod"));
  }

  @Test
  void blocksWithoutTheirExceptionsCoverTheRestExactly() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    for (int round = 0; round < 300; round++) {
      List<Peer.Block> blocks = new ArrayList<>();
      for (int i = 0; i <= random.nextInt(3); i++) {
        Cidr cidr = cidr(random, 24 + random.nextInt(4), 0);
        List<Cidr> except = new ArrayList<>();
        for (int j = random.nextInt(4); j > 0; j--) {
          int length = cidr.length() + 1 + random.nextInt(32 - cidr.length());
          except.add(cidr(random, length, cidr.address().bytes()[3] & 255));
        }
        except.removeIf(one -> !cidr.contains(one.address()));
        blocks.add(new Peer.Block(cidr, except));
      }
      List<Cidr> parts = CidrDifference.of(blocks);
      for (int host = 0; host < 256; host++) {
        IpAddress address = IpAddress.of(new byte[] {10, 0, 0, (byte) host});
        boolean wanted =
            blocks.stream()
                .anyMatch(b ->
                    b.cidr().contains(address)
                        && b.except().stream().noneMatch(e -> e.contains(address)));
        long count = parts.stream().filter(part -> part.contains(address)).count();
        assertThat(count).as("seed %d: %s in %s", seed, address, blocks).isEqualTo(wanted ? 1 : 0);
      }
    }
  }

  private static Cidr cidr(Random random, int length, int base) {
    byte last = (byte) (base ^ random.nextInt(256));
    return new Cidr(IpAddress.of(new byte[] {10, 0, 0, last}), length).network();
  }

  @Test
  void anExceptionOfIpv6IsCutOut() {
    Cidr all = Cidr.parse("fd00::/16").orElseThrow();
    Cidr except = Cidr.parse("fd00:1::/32").orElseThrow();
    List<Cidr> parts = CidrDifference.of(List.of(new Peer.Block(all, List.of(except))));
    assertThat(parts).hasSize(16).noneMatch(part -> part.overlaps(except));
    assertThat(parts.stream().map(Cidr::size).reduce(BigInteger.ZERO, BigInteger::add))
        .isEqualTo(all.size().subtract(except.size()));
  }

  @Test
  void labelsComeFromTheConfigurationTheArgumentsAndTheRuntime() {
    String json =
        """
        {"labels":{"a":"1","b":"1","c":"1"},"namespace":"one","runtimeConfig":{
          "io.kubernetes.cri.pod-annotations":{"io.jrun.labels":"c=3"},"labels":{"d":"4"}}}\
        """;
    Map<String, String> args =
        Map.of("K8S_POD_NAMESPACE", "two", "LABELS", "b=2", "PORTS", "http:80,dns:53/udp");
    Identity identity =
        io.jrun.specs.json.JsonReader.read(
            "test",
            json.getBytes(java.nio.charset.StandardCharsets.UTF_8),
            r -> IdentityConfig.read(r, args::get));
    assertThat(identity.namespace()).isEqualTo("two");
    assertThat(identity.labels()).isEqualTo(Map.of("a", "1", "b", "2", "c", "3", "d", "4"));
    assertThat(identity.ports())
        .containsExactly(
            new NamedPort("http", 80, Protocol.TCP), new NamedPort("dns", 53, Protocol.UDP));
  }
}

package io.jrun.cni.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrun.cni.CniException;
import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.SpecException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class NetworkPolicyTest {
  static NetworkPolicy policy(String spec) {
    return policy("p", spec);
  }

  static NetworkPolicy policy(String name, String spec) {
    String yaml =
        """
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: %s}
        spec: %s
        """
            .formatted(name, spec);
    Json json = Documents.parse("test", yaml).getFirst();
    return JsonReader.read("test", (Json.JsonObject) json, r -> NetworkPolicy.read(r, "default"));
  }

  private static boolean selects(String selector, Map<String, String> labels) {
    return policy("{podSelector: " + selector + "}")
        .selects(new Identity("default", labels, List.of()));
  }

  @Test
  void selectorsHoldAsInKubernetes() {
    Map<String, String> web = Map.of("app", "web", "tier", "front");
    assertThat(selects("{}", Map.of())).isTrue();
    assertThat(selects("{matchLabels: {app: web}}", web)).isTrue();
    assertThat(selects("{matchLabels: {app: web, tier: back}}", web)).isFalse();
    assertThat(selects("{matchExpressions: [{key: app, operator: In, values: [db, web]}]}", web))
        .isTrue();
    assertThat(selects("{matchExpressions: [{key: app, operator: NotIn, values: [web]}]}", web))
        .isFalse();
    assertThat(selects("{matchExpressions: [{key: zone, operator: NotIn, values: [a]}]}", web))
        .isTrue();
    assertThat(selects("{matchExpressions: [{key: app, operator: Exists}]}", web)).isTrue();
    assertThat(selects("{matchExpressions: [{key: app, operator: DoesNotExist}]}", web)).isFalse();
    assertThat(policy("{podSelector: {}}").selects(new Identity("other", web, List.of())))
        .isFalse();
  }

  @Test
  void directionsFollowFromTheRulesWhereTheyAreNotSaid() {
    assertThat(policy("{podSelector: {}}"))
        .matches(p -> p.isOfIngress() && !p.isOfEgress(), "ingress alone");
    assertThat(policy("{podSelector: {}, egress: [{}]}"))
        .matches(p -> p.isOfIngress() && p.isOfEgress(), "both");
    assertThat(policy("{podSelector: {}, egress: []}").isOfEgress()).isFalse();
    assertThat(policy("{podSelector: {}, policyTypes: [Egress]}"))
        .matches(p -> !p.isOfIngress() && p.isOfEgress(), "egress alone");
  }

  @Test
  void everyProblemIsToldWithItsPlace() {
    assertThatThrownBy(() ->
            policy(
                """

                  podSelector: {matchExpressions: [{key: "a b", operator: In}]}
                  policyTypes: [Sideways]
                  ingress:
                  - from: [{}, {ipBlock: {cidr: 10.0.0.0}}, {podSelector: {}, ipBlock: {cidr: 10.0.0.0/8}}]
                    ports: [{port: 80, endPort: 79}, {port: Http}, {endPort: 9}, {protocol: ICMP}]
                    form: []
                """))
        .isInstanceOf(SpecException.class)
        .message()
        .contains("/spec/podSelector/matchExpressions/0/key: invalid label key")
        .contains("/spec/podSelector/matchExpressions/0/values: is required")
        .contains("/spec/policyTypes: unknown type \"Sideways\"")
        .contains("/spec/ingress/0/from/0/: a peer needs")
        .contains("/spec/ingress/0/from/1/ipBlock/cidr: must be an address with a prefix")
        .contains("/spec/ingress/0/from/2/ipBlock: cannot be combined")
        .contains("/spec/ingress/0/ports/0/endPort: must be from port to 65535")
        .contains("/spec/ingress/0/ports/1/port: invalid name \"Http\"")
        .contains("/spec/ingress/0/ports/2/endPort: needs a port")
        .contains("/spec/ingress/0/ports/3/protocol: unknown value \"ICMP\"")
        .contains("/spec/ingress/0/form: unknown field");
  }

  @Test
  void aFieldThatIsNotKnownIsAnErrorWhereverItIs() {
    String policy =
        """
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: p, namspace: prod, uid: 6f1d, creationTimestamp: null}
        spec: {podSelector: {}}
        specs: {}
        """;
    Json json = Documents.parse("test", policy).getFirst();
    assertThatThrownBy(() ->
            JsonReader.read("test", (Json.JsonObject) json, r -> NetworkPolicy.read(r, "default")))
        .message()
        .contains("/metadata/namspace: unknown field", "/specs: unknown field")
        .doesNotContain("uid", "creationTimestamp");
    Json namespace =
        Documents.parse(
                "test", "{apiVersion: v1, kind: Namespace, metadata: {name: n, lables: {a: b}}}")
            .getFirst();
    assertThatThrownBy(
            () -> JsonReader.read("test", (Json.JsonObject) namespace, NamespaceLabels::read))
        .message()
        .contains("/metadata/lables: unknown field");
  }

  @Test
  void yamlAndJsonAreTheSame() {
    Json yaml = Documents.parse("y", "a: [1, true, null, 'x']\nb: {c: 8}\n").getFirst();
    assertThat(yaml.toText()).isEqualTo("{\"a\":[1,true,null,\"x\"],\"b\":{\"c\":8}}");
    assertThat(Documents.parse("j", "{\"a\":[1,true,null,\"x\"],\"b\":{\"c\":8}}").getFirst())
        .isEqualTo(yaml);
    assertThat(Documents.parse("many", "a: 1\n---\n---\nb: 2\n")).hasSize(2);
    assertThatThrownBy(() -> Documents.parse("bad", "a: [1"))
        .isInstanceOf(CniException.class)
        .hasMessageStartingWith("bad: ");
    assertThatThrownBy(() -> Documents.parse("twice", "a: 1\na: 2\n"))
        .hasMessageContaining("duplicate key a");
    StringBuilder laughs = new StringBuilder("a: &a [x]\n");
    for (char c = 'b'; c < 'z'; c++) {
      String before = "*" + (char) (c - 1);
      laughs.append(c).append(": &").append(c).append(" [");
      laughs.append(String.join(",", java.util.Collections.nCopies(9, before))).append("]\n");
    }
    assertThatThrownBy(() -> Documents.parse("laughs", laughs.toString()))
        .hasMessageContaining("aliases");
  }
}

package io.jrun.cni.policy;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/// A policy as Kubernetes' networking.k8s.io/v1 has it: those it selects are isolated in its
/// directions, but for what the rules of all policies that select them allow.
///
/// @param json as it was written
record NetworkPolicy(
    String namespace,
    String name,
    LabelSelector podSelector,
    boolean isOfIngress,
    boolean isOfEgress,
    List<Rule> ingress,
    List<Rule> egress,
    Json.JsonObject json) {
  static final String KIND = "NetworkPolicy";
  static final String API_VERSION = "networking.k8s.io/v1";

  /// Whom and which ports it allows; no peers is everybody, no ports is every port.
  record Rule(List<Peer> peers, List<PortRange> ports) {
    Rule {
      peers = List.copyOf(peers);
      ports = List.copyOf(ports);
    }

    static Rule read(JsonReader r, String peers) {
      List<Peer> read = r.objects(peers, Peer::read).stream().filter(Objects::nonNull).toList();
      List<PortRange> ports = r.objects("ports", PortRange::read);
      Unknown.refuse(r, Set.of(peers, "ports"));
      return new Rule(read, ports);
    }
  }

  NetworkPolicy {
    ingress = List.copyOf(ingress);
    egress = List.copyOf(egress);
  }

  /// @param namespace for one that does not say its own
  static NetworkPolicy read(JsonReader r, String namespace) {
    String apiVersion = r.string("apiVersion");
    if (!apiVersion.equals(API_VERSION)) r.problem("apiVersion", "must be " + API_VERSION);
    r.string("kind");
    Unknown.refuse(r, Set.of("metadata", "spec", "status"));
    Metadata metadata = r.object("metadata", Metadata::read);
    if (metadata == null) {
      r.problem("metadata", "is required");
      metadata = new Metadata("", "");
    }
    String own = metadata.namespace().isEmpty() ? namespace : metadata.namespace();
    String name = metadata.name();
    NetworkPolicy policy = r.object("spec", spec -> spec(spec, own, name, r.object()));
    if (policy != null) return policy;
    r.problem("spec", "is required");
    return new NetworkPolicy(
        own, name, LabelSelector.all(), false, false, List.of(), List.of(), r.object());
  }

  record Metadata(String name, String namespace) {
    static Metadata read(JsonReader r) {
      String name = r.string("name");
      String namespace = Objects.requireNonNullElse(r.optionalString("namespace"), "");
      if (!name.matches("[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")) {
        r.problem("name", "invalid name \"" + name + "\"");
      }
      if (!namespace.isEmpty() && !namespace.matches(IdentityConfig.NAMESPACE)) {
        r.problem("namespace", "invalid name \"" + namespace + "\"");
      }
      Unknown.refuse(r, Unknown.OBJECT_META);
      return new Metadata(name, namespace);
    }
  }

  private static NetworkPolicy spec(
      JsonReader r, String namespace, String name, Json.JsonObject json) {
    LabelSelector selector = r.object("podSelector", LabelSelector::read, LabelSelector.all());
    List<Rule> ingress = r.objects("ingress", rule -> Rule.read(rule, "from"));
    List<Rule> egress = r.objects("egress", rule -> Rule.read(rule, "to"));
    List<String> types = r.strings("policyTypes");
    for (String type : types) {
      if (!type.equals("Ingress") && !type.equals("Egress")) {
        r.problem("policyTypes", "unknown type \"" + type + "\", must be Ingress or Egress");
      }
    }
    Unknown.refuse(r, Set.of("podSelector", "ingress", "egress", "policyTypes"));
    boolean isEgress =
        r.object().member("egress") instanceof Json.JsonArray(List<Json> e) && !e.isEmpty();
    return new NetworkPolicy(
        namespace,
        name,
        selector,
        types.isEmpty() || types.contains("Ingress"),
        types.isEmpty() ? isEgress : types.contains("Egress"),
        ingress,
        egress,
        json.with(
            "metadata",
            (json.member("metadata") instanceof Json.JsonObject m ? m : Json.JsonObject.EMPTY)
                .with("namespace", Json.of(namespace))));
  }

  boolean selects(Identity identity) {
    return identity.namespace().equals(namespace) && podSelector.matches(identity.labels());
  }

  String title() {
    return namespace + "/" + name;
  }
}

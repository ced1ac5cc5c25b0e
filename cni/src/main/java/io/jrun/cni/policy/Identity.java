package io.jrun.cni.policy;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// By what policies select a container: its namespace (Kubernetes' kind) and labels, and the ports
/// that it gives names to.
public record Identity(String namespace, Map<String, String> labels, List<NamedPort> ports) {
  public static final String DEFAULT_NAMESPACE = "default";
  public static final Identity NONE = new Identity(DEFAULT_NAMESPACE, Map.of(), List.of());

  public Identity {
    labels = Map.copyOf(labels);
    ports = List.copyOf(ports);
  }

  public static Identity read(JsonReader r) {
    String namespace = r.optionalString("namespace");
    return new Identity(
        namespace == null ? DEFAULT_NAMESPACE : namespace,
        r.stringMap("labels"),
        r.objects("ports", NamedPort::read));
  }

  public Json.JsonObject addTo(Json.JsonObject json) {
    return json.with("namespace", Json.of(namespace))
        .with("labels", Json.ofStrings(new TreeMap<>(labels)))
        .with("ports", new Json.JsonArray(ports.stream().map(NamedPort::toJson).toList()));
  }
}

package io.jrun.cni.policy;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Reads a container's [Identity] from what its ADD is told. Later ones win:
///
/// - the network's members `namespace` and `labels`
/// - CNI_ARGS: `K8S_POD_NAMESPACE=prod`, `LABELS=app=web,tier=front`,
///   `PORTS=http:80/tcp,dns:53/udp`
/// - the annotation `io.jrun.labels` of a pod, where the runtime passes annotations (the capability
///   `io.kubernetes.cri.pod-annotations`)
/// - the capability `labels`, an object
public final class IdentityConfig {
  private static final String ANNOTATIONS = "io.kubernetes.cri.pod-annotations";

  /// `KEY=VALUE` between commas.
  public static final String ANNOTATION = "io.jrun.labels";

  /// RFC 1123 label, as Kubernetes wants names of namespaces.
  static final String NAMESPACE = "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?";

  private static final String NAME = "[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?";
  private static final String KEY = "([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?" + NAME;

  private IdentityConfig() {}

  /// @param argument the value of a key of CNI_ARGS; null for none
  public static Identity read(JsonReader r, Function<String, @Nullable String> argument) {
    Map<String, String> labels = new LinkedHashMap<>(r.stringMap("labels"));
    String namespace = r.optionalString("namespace");
    String asked = argument.apply("K8S_POD_NAMESPACE");
    if (asked != null) namespace = asked;
    if (namespace == null || namespace.isEmpty()) namespace = Identity.DEFAULT_NAMESPACE;
    if (!namespace.matches(NAMESPACE)) r.problem("namespace", "invalid name " + namespace);
    pairs(r, argument.apply("LABELS"), labels);
    Json.JsonObject runtime = r.object("runtimeConfig", JsonReader::object);
    if (runtime != null) {
      if (runtime.member(ANNOTATIONS) instanceof Json.JsonObject annotations
          && annotations.member(ANNOTATION) instanceof Json.JsonString(String text)) {
        pairs(r, text, labels);
      }
      if (runtime.member("labels") instanceof Json.JsonObject given) {
        given
            .members()
            .forEach((key, value) ->
                labels.put(key, value instanceof Json.JsonString(String text) ? text : "?"));
      }
    }
    labels.forEach((key, value) -> check(r, key, value));
    return new Identity(namespace, labels, ports(r, argument.apply("PORTS")));
  }

  private static void pairs(JsonReader r, @Nullable String text, Map<String, String> into) {
    if (text == null || text.isEmpty()) return;
    for (String pair : text.split(",")) {
      int equals = pair.indexOf('=');
      if (equals <= 0) r.problem("labels", "must be KEY=VALUE, not \"" + pair + "\"");
      else into.put(pair.substring(0, equals).strip(), pair.substring(equals + 1).strip());
    }
  }

  private static void check(JsonReader r, String key, String value) {
    if (!isKey(key)) r.problem("labels", "invalid key \"" + key + "\"");
    if (!isValue(value)) r.problem("labels", "invalid value \"" + value + "\"");
  }

  /// Whether Kubernetes takes it as a label's key.
  public static boolean isKey(String key) {
    return key.matches(KEY);
  }

  /// Whether Kubernetes takes it as a label's value.
  public static boolean isValue(String value) {
    return value.isEmpty() || value.matches(NAME);
  }

  private static List<NamedPort> ports(JsonReader r, @Nullable String text) {
    List<NamedPort> ports = new ArrayList<>();
    if (text == null || text.isEmpty()) return ports;
    for (String one : text.split(",")) {
      try {
        ports.add(NamedPort.parse(one.strip()));
      } catch (IllegalArgumentException e) {
        r.problem("ports", String.valueOf(e.getMessage()));
      }
    }
    return ports;
  }
}

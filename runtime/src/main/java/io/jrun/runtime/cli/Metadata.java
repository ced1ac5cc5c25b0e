package io.jrun.runtime.cli;

import io.jrun.cni.policy.IdentityConfig;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// What the command line says about a container or a sandbox besides how it runs.
///
/// @param labels by which network policies select it
/// @param annotations of the config
public record Metadata(Map<String, String> labels, Map<String, String> annotations) {
  static final Metadata NONE = new Metadata(Map.of(), Map.of());

  public Metadata {
    labels = Collections.unmodifiableMap(new LinkedHashMap<>(labels));
    annotations = Collections.unmodifiableMap(new LinkedHashMap<>(annotations));
  }

  static Options options(Options options) {
    return options
        .texts("key=value", "a label, by which network policies select it", "--label", "-l")
        .texts("name=value", "an annotation of the config", "--annotation");
  }

  static Metadata of(ParsedLine line) {
    Map<String, String> labels = pairs("label", line.texts("--label"));
    labels.forEach((key, value) -> {
      if (!IdentityConfig.isKey(key) || !IdentityConfig.isValue(value)) {
        throw CommandFailure.usage("not a label as Kubernetes has them: " + key + "=" + value);
      }
    });
    return new Metadata(labels, pairs("annotation", line.texts("--annotation")));
  }

  /// As docker has it, a key alone has the empty value, and the last of the same key wins.
  private static Map<String, String> pairs(String what, List<String> given) {
    Map<String, String> pairs = new LinkedHashMap<>();
    for (String one : given) {
      int equals = one.indexOf('=');
      String key = equals < 0 ? one : one.substring(0, equals);
      if (key.isEmpty()) throw CommandFailure.usage("not a " + what + " (key=value): " + one);
      pairs.put(key, equals < 0 ? "" : one.substring(equals + 1));
    }
    return pairs;
  }

  /// Whether the command line has none of it.
  public boolean isEmpty() {
    return labels.isEmpty() && annotations.isEmpty();
  }
}

package io.jrun.cni.policy;

import io.jrun.specs.json.JsonReader;
import java.util.Map;

/// A namespace with its labels, as Kubernetes' v1 has it.
record NamespaceLabels(String name, Map<String, String> labels) {
  static final String KIND = "Namespace";

  NamespaceLabels {
    labels = Map.copyOf(labels);
  }

  static NamespaceLabels read(JsonReader r) {
    if (!r.string("apiVersion").equals("v1")) r.problem("apiVersion", "must be v1");
    NamespaceLabels read =
        r.object(
            "metadata",
            metadata -> new NamespaceLabels(metadata.string("name"), metadata.stringMap("labels")));
    if (read == null) r.problem("metadata", "is required");
    else if (!read.name().matches(IdentityConfig.NAMESPACE)) {
      r.problem("metadata", "invalid name \"" + read.name() + "\"");
    }
    return read == null ? new NamespaceLabels("", Map.of()) : read;
  }
}

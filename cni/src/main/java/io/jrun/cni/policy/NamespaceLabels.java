package io.jrun.cni.policy;

import io.jrun.specs.json.JsonReader;
import java.util.Map;
import java.util.Set;

/// A namespace with its labels, as Kubernetes' v1 has it.
record NamespaceLabels(String name, Map<String, String> labels) {
  static final String KIND = "Namespace";

  NamespaceLabels {
    labels = Map.copyOf(labels);
  }

  static NamespaceLabels read(JsonReader r) {
    if (!r.string("apiVersion").equals("v1")) r.problem("apiVersion", "must be v1");
    r.string("kind");
    Unknown.refuse(r, Set.of("metadata", "spec", "status"));
    NamespaceLabels read = r.object("metadata", NamespaceLabels::metadata);
    if (read == null) r.problem("metadata", "is required");
    else if (!read.name().matches(IdentityConfig.NAMESPACE)) {
      r.problem("metadata", "invalid name \"" + read.name() + "\"");
    }
    return read == null ? new NamespaceLabels("", Map.of()) : read;
  }

  private static NamespaceLabels metadata(JsonReader r) {
    NamespaceLabels read = new NamespaceLabels(r.string("name"), r.stringMap("labels"));
    Unknown.refuse(r, Unknown.OBJECT_META);
    return read;
  }
}

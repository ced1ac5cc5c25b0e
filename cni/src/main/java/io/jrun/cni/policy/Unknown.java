package io.jrun.cni.policy;

import io.jrun.specs.json.JsonReader;
import java.util.Set;

/// A misspelt member would make a policy that allows or denies something else than is meant.
final class Unknown {
  /// What Kubernetes' ObjectMeta has; most of it is written by a cluster and means nothing here.
  static final Set<String> OBJECT_META =
      Set.of(
          "name",
          "namespace",
          "labels",
          "annotations",
          "generateName",
          "selfLink",
          "uid",
          "resourceVersion",
          "generation",
          "creationTimestamp",
          "deletionTimestamp",
          "deletionGracePeriodSeconds",
          "ownerReferences",
          "finalizers",
          "managedFields");

  private Unknown() {}

  static void refuse(JsonReader r) {
    refuse(r, Set.of());
  }

  /// @param empty members whose empty value is a value
  static void refuse(JsonReader r, Set<String> empty) {
    for (String name : r.unknown().members().keySet()) {
      if (!empty.contains(name)) r.problem(name, "unknown field");
    }
  }
}

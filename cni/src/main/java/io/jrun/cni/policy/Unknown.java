package io.jrun.cni.policy;

import io.jrun.specs.json.JsonReader;
import java.util.Set;

/// A misspelt member would make a policy that allows or denies something else than is meant.
final class Unknown {
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

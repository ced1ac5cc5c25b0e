package io.jrun.cni.nftables;

import io.jrun.specs.json.Json;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// An element of a set, or of a map.
///
/// @param family of the set's table: `inet` or `bridge`
/// @param value of a map; null for a set
public record SetElement(String family, String set, SetKey key, @Nullable SetKey value) {
  /// In the words of libnftables.
  public Json json() {
    return value == null ? key.json() : new Json.JsonArray(List.of(key.json(), value.json()));
  }
}

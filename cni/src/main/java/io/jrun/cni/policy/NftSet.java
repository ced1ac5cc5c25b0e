package io.jrun.cni.policy;

import io.jrun.specs.json.Json;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.SequencedSet;

/// A set (or map) of nftables with what is in it.
///
/// @param family of its table: inet or bridge
/// @param type the types of the parts of a key
/// @param valueType of a map; empty for a set
/// @param isOfIntervals whether elements may be ranges
record NftSet(
    String family,
    String name,
    List<String> type,
    String valueType,
    boolean isOfIntervals,
    SequencedSet<Json> elements) {
  static NftSet of(String family, String name, String... type) {
    return new NftSet(family, name, List.of(type), "", false, new LinkedHashSet<>());
  }

  static NftSet ofIntervals(String family, String name, String... type) {
    return new NftSet(family, name, List.of(type), "", true, new LinkedHashSet<>());
  }

  static NftSet map(String family, String name, String type, String valueType) {
    return new NftSet(family, name, List.of(type), valueType, false, new LinkedHashSet<>());
  }

  String kind() {
    return valueType.isEmpty() ? "set" : "map";
  }

  /// Adds an element unless it is there.
  void put(Json element) {
    elements.add(element);
  }

  Json.JsonObject definition(Json.JsonObject named) {
    Json.JsonObject result =
        named.with("type", type.size() == 1 ? Json.of(type.getFirst()) : Json.ofStrings(type));
    if (!valueType.isEmpty()) result = result.with("map", Json.of(valueType));
    if (isOfIntervals) result = result.with("flags", Json.ofStrings(List.of("interval")));
    return result;
  }
}

package io.jrun.specs.json;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Builds an object from a record's components and the members that [JsonReader#unknown] kept.
///
/// What is absent (null, false, 0, empty) is left out, unless it had been given explicitly.
public final class JsonWriter {
  private final LinkedHashMap<String, Json> members = new LinkedHashMap<>();
  private final Json.JsonObject unknown;

  public JsonWriter(Json.JsonObject unknown) {
    this.unknown = unknown;
  }

  public Json.JsonObject object() {
    unknown.members().forEach(members::putIfAbsent);
    return new Json.JsonObject(members);
  }

  public JsonWriter member(String name, @Nullable Json value) {
    Json given = value == null ? unknown.member(name) : value;
    if (given != null && (value != null || saysAbsence(given))) {
      members.put(name, given);
    }
    return this;
  }

  public JsonWriter string(String name, @Nullable String value) {
    return member(name, value == null ? null : Json.of(value));
  }

  public JsonWriter bool(String name, boolean value) {
    return member(name, value ? Json.of(true) : null);
  }

  public JsonWriter optionalBool(String name, @Nullable Boolean value) {
    return member(name, value == null ? null : Json.of(value.booleanValue()));
  }

  public JsonWriter number(String name, long value) {
    return member(name, value == 0 ? null : Json.of(value));
  }

  public JsonWriter optionalNumber(String name, @Nullable Number value) {
    return member(name, value == null ? null : Json.of(value.longValue()));
  }

  public JsonWriter unsigned(String name, long bits) {
    return member(name, bits == 0 ? null : Json.ofUnsigned(bits));
  }

  public JsonWriter optionalUnsigned(String name, @Nullable Long bits) {
    return member(name, bits == null ? null : Json.ofUnsigned(bits));
  }

  public JsonWriter strings(String name, List<String> values) {
    return member(name, values.isEmpty() ? null : Json.ofStrings(values));
  }

  public JsonWriter numbers(String name, List<Long> values) {
    return member(
        name,
        values.isEmpty()
            ? null
            : new Json.JsonArray(values.stream().map(v -> Json.of(v.longValue())).toList()));
  }

  public JsonWriter stringMap(String name, Map<String, String> values) {
    return member(name, values.isEmpty() ? null : Json.ofStrings(values));
  }

  public <T> JsonWriter objects(String name, List<T> values, Function<T, Json.JsonObject> write) {
    return member(
        name,
        values.isEmpty() ? null : new Json.JsonArray(values.stream().<Json>map(write).toList()));
  }

  public <T> JsonWriter objectMap(
      String name, Map<String, T> values, Function<T, Json.JsonObject> write) {
    if (values.isEmpty()) {
      return member(name, null);
    }
    LinkedHashMap<String, Json> written = new LinkedHashMap<>();
    values.forEach((key, value) -> written.put(key, write.apply(value)));
    return member(name, new Json.JsonObject(written));
  }

  /// What [JsonReader] leaves in place because the component's absence already says it.
  private static boolean saysAbsence(Json given) {
    return switch (given) {
      case Json.JsonNull none -> true;
      case Json.JsonBool bool -> !bool.value();
      case Json.JsonString string -> string.value().isEmpty();
      case Json.JsonNumber number -> number.literal().equals("0") || number.literal().equals("-0");
      case Json.JsonArray array -> array.elements().isEmpty();
      case Json.JsonObject object -> object.isEmpty();
    };
  }
}

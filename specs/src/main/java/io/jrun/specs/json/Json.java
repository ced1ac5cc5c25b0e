package io.jrun.specs.json;

import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/// A JSON value. Objects keep the order of their members; two that differ only in order are equal.
public sealed interface Json {
  /// An object; of members with equal names the last one counts, as in Go's encoding/json.
  record JsonObject(SequencedMap<String, Json> members) implements Json {
    private static final SequencedMap<String, Json> NONE =
        Collections.unmodifiableSequencedMap(new LinkedHashMap<>());

    public static final JsonObject EMPTY = new JsonObject(new LinkedHashMap<>());

    /// A map that nobody else has.
    private static final class Own extends LinkedHashMap<String, Json> {
      private static final long serialVersionUID = 1L;

      Own(SequencedMap<String, Json> members) {
        super(members);
      }
    }

    public JsonObject {
      members =
          members.isEmpty()
              ? NONE
              : Collections.unmodifiableSequencedMap(
                  members instanceof Own ? members : new Own(members));
    }

    public @Nullable Json member(String name) {
      return members.get(name);
    }

    public boolean isEmpty() {
      return members.isEmpty();
    }

    /// This object with one member added or replaced.
    public JsonObject with(String name, Json value) {
      Own copy = new Own(members);
      copy.put(name, value);
      return new JsonObject(copy);
    }
  }

  record JsonArray(List<Json> elements) implements Json {
    public JsonArray {
      elements = List.copyOf(elements);
    }
  }

  record JsonString(String value) implements Json {}

  /// A number as it is written, so that no digit is lost.
  record JsonNumber(String literal) implements Json {}

  record JsonBool(boolean value) implements Json {}

  record JsonNull() implements Json {}

  static Json of(String value) {
    return new JsonString(value);
  }

  static Json of(boolean value) {
    return new JsonBool(value);
  }

  static Json of(long value) {
    return new JsonNumber(Long.toString(value));
  }

  /// A uint64 whose bits are in a long.
  static Json ofUnsigned(long bits) {
    return new JsonNumber(Long.toUnsignedString(bits));
  }

  static Json ofStrings(List<String> values) {
    return new JsonArray(values.stream().map(Json::of).toList());
  }

  static Json ofStrings(Map<String, String> values) {
    LinkedHashMap<String, Json> members = new LinkedHashMap<>();
    values.forEach((name, value) -> members.put(name, of(value)));
    return new JsonObject(members);
  }

  /// Parses exactly one value; anything else is a SpecException.
  static Json parse(byte[] json) {
    return JsonSource.parse("json", json);
  }

  static Json parse(String json) {
    return JsonSource.parse("json", json.getBytes(StandardCharsets.UTF_8));
  }

  /// This value as text on one line.
  default String toText() {
    return JsonPrinter.print(this, "");
  }

  /// This value as text, one member or element a line; an empty indent means one line for all.
  default String toText(String indent) {
    return JsonPrinter.print(this, indent);
  }
}

package io.jrun.specs.json;

import java.util.Iterator;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Prints a tree the way Go's json.MarshalIndent does, except that `<`, `>` and `&` stay as they
/// are.
final class JsonPrinter {
  private final StringBuilder out = new StringBuilder();
  private final String indent;

  private JsonPrinter(String indent) {
    this.indent = indent;
  }

  static String print(Json value, String indent) {
    JsonPrinter printer = new JsonPrinter(indent);
    printer.value(value, 0);
    return printer.out.toString();
  }

  private void value(Json value, int depth) {
    switch (value) {
      case Json.JsonObject object -> object(object, depth);
      case Json.JsonArray array -> array(array, depth);
      case Json.JsonString string -> string(string.value());
      case Json.JsonNumber number -> out.append(number.literal());
      case Json.JsonBool bool -> out.append(bool.value());
      case Json.JsonNull none -> out.append("null");
    }
  }

  private void object(Json.JsonObject object, int depth) {
    out.append('{');
    Iterator<Map.Entry<String, Json>> members = object.members().entrySet().iterator();
    while (members.hasNext()) {
      Map.Entry<String, Json> member = members.next();
      line(depth + 1);
      string(member.getKey());
      out.append(indent.isEmpty() ? ":" : ": ");
      value(member.getValue(), depth + 1);
      if (members.hasNext()) {
        out.append(',');
      }
    }
    if (!object.isEmpty()) {
      line(depth);
    }
    out.append('}');
  }

  private void array(Json.JsonArray array, int depth) {
    out.append('[');
    Iterator<Json> elements = array.elements().iterator();
    while (elements.hasNext()) {
      line(depth + 1);
      value(elements.next(), depth + 1);
      if (elements.hasNext()) {
        out.append(',');
      }
    }
    if (!array.elements().isEmpty()) {
      line(depth);
    }
    out.append(']');
  }

  private void line(int depth) {
    if (!indent.isEmpty()) {
      out.append('\n').repeat(indent, depth);
    }
  }

  private void string(String value) {
    out.append('"');
    int length = value.length();
    int written = 0;
    for (int i = 0; i < length; i++) {
      char c = value.charAt(i);
      if (c >= ' ' && c < 0x7f && c != '"' && c != '\\') continue; // most are such
      String escaped = escaped(value, i);
      if (escaped == null) continue;
      out.append(value, written, i).append(escaped);
      written = i + 1;
    }
    if (written == 0) out.append(value);
    else out.append(value, written, length);
    out.append('"');
  }

  /// What stands for a char of the text; null for the char itself.
  private static @Nullable String escaped(String value, int i) {
    char c = value.charAt(i);
    return switch (c) {
      case '"' -> "\\\"";
      case '\\' -> "\\\\";
      case '\n' -> "\\n";
      case '\r' -> "\\r";
      case '\t' -> "\\t";
      default ->
          c < ' ' || c == 0x7f || isUnpairedSurrogate(value, i)
              ? String.format("\\u%04x", (int) c)
              : null;
    };
  }

  /// Such a char has no UTF-8, but JSON can say it.
  private static boolean isUnpairedSurrogate(String value, int i) {
    char c = value.charAt(i);
    if (Character.isHighSurrogate(c)) {
      return i + 1 == value.length() || !Character.isLowSurrogate(value.charAt(i + 1));
    }
    return Character.isLowSurrogate(c)
        && (i == 0 || !Character.isHighSurrogate(value.charAt(i - 1)));
  }
}

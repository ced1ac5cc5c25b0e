package io.jrun.runtime.dbus;

import java.util.ArrayList;
import java.util.List;

/// Reads a value from GVariant's text form, as annotations give the properties of a unit: `uint64
/// 5`, `'text'`, `true`, `['a', 'b']`, `(1, 'x')`, `@as []`, `objectpath '/a'`. A number without a
/// type is an int32, or a double where it has a point.
public final class VariantText {
  private final String text;
  private int at;

  private VariantText(String text) {
    this.text = text;
  }

  /// @throws IllegalArgumentException with what is wrong
  public static Value parse(String text) {
    VariantText reader = new VariantText(text);
    try {
      Value value = reader.value("");
      reader.space();
      if (reader.at < text.length()) throw reader.unexpected();
      return value;
    } catch (IndexOutOfBoundsException e) {
      throw new IllegalArgumentException("it ends too early: " + text, e);
    }
  }

  private IllegalArgumentException unexpected() {
    return new IllegalArgumentException("unexpected at character " + (at + 1) + " of: " + text);
  }

  private void space() {
    while (at < text.length() && Character.isWhitespace(text.charAt(at))) at++;
  }

  private boolean skip(char wanted) {
    space();
    if (at >= text.length() || text.charAt(at) != wanted) return false;
    at++;
    return true;
  }

  /// @param type what it must be; empty for what the text says
  private Value value(String type) {
    space();
    char first = text.charAt(at);
    return switch (first) {
      case '\'', '"' -> string(type.isEmpty() ? 's' : type.charAt(0));
      case '[' -> array(type);
      case '(' -> tuple(type);
      case '<' -> {
        at++;
        Value inner = value("");
        if (!skip('>')) throw unexpected();
        yield new Value.Variant(inner);
      }
      case '@' -> {
        int start = ++at;
        while (!Character.isWhitespace(text.charAt(at))) at++;
        yield value(text.substring(start, at));
      }
      default -> word(type);
    };
  }

  private Value string(char type) {
    if ("sog".indexOf(type) < 0)
      throw new IllegalArgumentException("a string where type " + type + " is due: " + text);
    char quote = text.charAt(at++);
    StringBuilder value = new StringBuilder();
    for (char each; (each = text.charAt(at++)) != quote; ) {
      if (each != '\\') {
        value.append(each);
        continue;
      }
      char escaped = text.charAt(at++);
      switch (escaped) {
        case 'n' -> value.append('\n');
        case 't' -> value.append('\t');
        case 'r' -> value.append('\r');
        case 'a' -> value.append('\u0007');
        case 'b' -> value.append('\b');
        case 'f' -> value.append('\f');
        case 'v' -> value.append('\u000b');
        case 'u', 'U' -> {
          int digits = escaped == 'u' ? 4 : 8;
          value.appendCodePoint(Integer.parseInt(text, at, at + digits, 16));
          at += digits;
        }
        default -> value.append(escaped);
      }
    }
    return new Value.Text(type, value.toString());
  }

  private Value array(String type) {
    if (!type.isEmpty() && type.charAt(0) != 'a') throw unexpected();
    at++;
    List<Value> values = new ArrayList<>();
    String element = type.isEmpty() ? "" : type.substring(1);
    if (skip(']')) {
      if (element.isEmpty())
        throw new IllegalArgumentException("an empty array needs its type, as in @as []: " + text);
      return new Value.Array(element, values);
    }
    do {
      Value next = value(element);
      if (element.isEmpty()) element = next.signature();
      values.add(next);
    } while (skip(','));
    if (!skip(']')) throw unexpected();
    return new Value.Array(element, values);
  }

  private Value tuple(String type) {
    at++;
    List<String> types = fields(type);
    List<Value> values = new ArrayList<>();
    while (!skip(')')) {
      if (!types.isEmpty() && values.size() == types.size()) throw unexpected();
      values.add(value(types.isEmpty() ? "" : types.get(values.size())));
      if (skip(',')) continue;
      if (!skip(')')) throw unexpected();
      break;
    }
    if (values.isEmpty()) throw new IllegalArgumentException("an empty tuple: " + text);
    return new Value.Struct(values);
  }

  private List<String> fields(String type) {
    if (type.isEmpty()) return List.of();
    if (type.charAt(0) != '(') throw unexpected();
    List<String> fields = new ArrayList<>();
    for (int i = 1; i < type.length() - 1; ) {
      int end = Unmarshaller.end(type, i);
      fields.add(type.substring(i, end));
      i = end;
    }
    return fields;
  }

  private Value word(String type) {
    int start = at;
    while (at < text.length()
        && (Character.isLetterOrDigit(text.charAt(at)) || "+-._".indexOf(text.charAt(at)) >= 0))
      at++;
    String word = text.substring(start, at);
    if (word.isEmpty()) throw unexpected();
    String named =
        switch (word) {
          case "true", "false" -> "";
          case "boolean" -> "b";
          case "byte" -> "y";
          case "int16" -> "n";
          case "uint16" -> "q";
          case "int32" -> "i";
          case "uint32" -> "u";
          case "int64" -> "x";
          case "uint64" -> "t";
          case "double" -> "d";
          case "string" -> "s";
          case "objectpath" -> "o";
          case "signature" -> "g";
          default -> "";
        };
    if (!named.isEmpty()) return value(named);
    if (word.equals("true") || word.equals("false")) {
      if (!type.isEmpty() && !type.equals("b")) throw unexpected();
      return new Value.Bool(word.equals("true"));
    }
    boolean real =
        type.equals("d")
            || type.isEmpty()
                && word.matches("[-+]?[0-9]*(\\.[0-9]*)?([eE][-+]?[0-9]+)?")
                && word.matches(".*[.eE].*");
    try {
      if (real) return new Value.Real(Double.parseDouble(word));
      return Value.Int.parsed(type.isEmpty() ? 'i' : type.charAt(0), word);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("neither a number nor a known word: " + word, e);
    }
  }
}

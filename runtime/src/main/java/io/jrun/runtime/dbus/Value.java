package io.jrun.runtime.dbus;

import java.util.List;
import java.util.stream.Collectors;

/// A value with its type, as the signature of a message names it (D-Bus specification, "Type
/// system").
public sealed interface Value {
  String signature();

  /// One of the integers: y (uint8), n (int16), q (uint16), i (int32), u (uint32), x (int64), t
  /// (uint64). Unsigned ones are kept as the same bits.
  record Int(char type, long value) implements Value {
    @Override
    public String signature() {
      return String.valueOf(type);
    }

    /// @throws IllegalArgumentException where the type has no such number
    public static Int parsed(char type, String text) {
      boolean negative = text.startsWith("-");
      String digits = negative || text.startsWith("+") ? text.substring(1) : text;
      int radix = 10;
      if (digits.startsWith("0x") || digits.startsWith("0X")) {
        radix = 16;
        digits = digits.substring(2);
      } else if (digits.startsWith("0") && digits.length() > 1) {
        radix = 8;
      }
      java.math.BigInteger number = new java.math.BigInteger((negative ? "-" : "") + digits, radix);
      int bits = bits(type);
      boolean signed = type == 'n' || type == 'i' || type == 'x';
      boolean fits =
          signed ? number.bitLength() < bits : number.signum() >= 0 && number.bitLength() <= bits;
      if (!fits) throw new IllegalArgumentException(text + " is out of the range of type " + type);
      return new Int(type, number.longValue());
    }

    static int bits(char type) {
      return switch (type) {
        case 'y' -> 8;
        case 'n', 'q' -> 16;
        case 'i', 'u' -> 32;
        case 'x', 't' -> 64;
        default -> throw new IllegalArgumentException("no integer type: " + type);
      };
    }
  }

  record Bool(boolean value) implements Value {
    @Override
    public String signature() {
      return "b";
    }
  }

  record Real(double value) implements Value {
    @Override
    public String signature() {
      return "d";
    }
  }

  /// s (string), o (object path) or g (signature).
  record Text(char type, String value) implements Value {
    @Override
    public String signature() {
      return String.valueOf(type);
    }
  }

  /// @param element the signature of each, which an empty one has too
  record Array(String element, List<Value> values) implements Value {
    public Array {
      values = List.copyOf(values);
      for (Value value : values)
        if (!value.signature().equals(element))
          throw new IllegalArgumentException(
              "an array of " + element + " cannot hold " + value.signature());
    }

    @Override
    public String signature() {
      return "a" + element;
    }
  }

  record Struct(List<Value> fields) implements Value {
    public Struct {
      fields = List.copyOf(fields);
    }

    @Override
    public String signature() {
      return fields.stream().map(Value::signature).collect(Collectors.joining("", "(", ")"));
    }
  }

  /// What an array of them makes a dictionary.
  record Entry(Value key, Value value) implements Value {
    @Override
    public String signature() {
      return "{" + key.signature() + value.signature() + "}";
    }
  }

  record Variant(Value value) implements Value {
    @Override
    public String signature() {
      return "v";
    }
  }

  static Value string(String text) {
    return new Text('s', text);
  }

  static Value path(String text) {
    return new Text('o', text);
  }

  static Value bool(boolean value) {
    return new Bool(value);
  }

  static Value uint32(long value) {
    return new Int('u', value);
  }

  static Value uint64(long value) {
    return new Int('t', value);
  }

  static Value strings(List<String> texts) {
    return new Array("s", texts.stream().map(Value::string).toList());
  }

  /// An array of bytes.
  static Value bytes(byte[] bytes) {
    List<Value> values = new java.util.ArrayList<>();
    for (byte each : bytes) values.add(new Int('y', each & 0xff));
    return new Array("y", values);
  }

  static Value struct(Value... fields) {
    return new Struct(List.of(fields));
  }
}

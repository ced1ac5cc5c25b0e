package io.jrun.runtime.dbus;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/// Writes values in little-endian order, each aligned to its type's boundary from the beginning.
final class Marshaller {
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

  byte[] bytes() {
    return bytes.toByteArray();
  }

  void align(int boundary) {
    while (bytes.size() % boundary != 0) bytes.write(0);
  }

  Marshaller addAll(List<Value> values) {
    values.forEach(this::add);
    return this;
  }

  Marshaller add(Value value) {
    switch (value) {
      case Value.Int(char type, long number) -> number(number, Value.Int.bits(type) / 8);
      case Value.Bool(boolean set) -> number(set ? 1 : 0, 4);
      case Value.Real(double number) -> number(Double.doubleToRawLongBits(number), 8);
      case Value.Text(char type, String text) -> text(type, text);
      case Value.Array array -> array(array);
      case Value.Struct(List<Value> fields) -> {
        align(8);
        addAll(fields);
      }
      case Value.Entry(Value key, Value of) -> {
        align(8);
        add(key);
        add(of);
      }
      case Value.Variant(Value of) -> {
        text('g', of.signature());
        add(of);
      }
    }
    return this;
  }

  private void text(char type, String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    number(utf8.length, type == 'g' ? 1 : 4);
    bytes.writeBytes(utf8);
    bytes.write(0);
  }

  /// The length does not count the padding before the first element, which is there for an empty
  /// one too.
  private void array(Value.Array array) {
    Marshaller elements = new Marshaller();
    int boundary = boundary(array.element());
    align(4);
    int first = (bytes.size() + 4 + boundary - 1) / boundary * boundary;
    // what they are aligned to counts from the beginning of all
    elements.bytes.writeBytes(new byte[first]);
    elements.addAll(array.values());
    number(elements.bytes.size() - first, 4);
    align(boundary);
    bytes.write(elements.bytes(), first, elements.bytes.size() - first);
  }

  void number(long number, int size) {
    align(size);
    for (int i = 0; i < size; i++) bytes.write((int) (number >>> 8 * i));
  }

  static int boundary(String signature) {
    return switch (signature.charAt(0)) {
      case 'y', 'g', 'v' -> 1;
      case 'n', 'q' -> 2;
      case 'b', 'i', 'u', 's', 'o', 'a' -> 4;
      case 'x', 't', 'd', '(', '{' -> 8;
      default -> throw new IllegalArgumentException("no type of D-Bus: " + signature);
    };
  }
}

package io.jrun.runtime.dbus;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/// Reads values of a message in the byte order of its sender. What does not fit is a
/// [DBusException].
final class Unmarshaller {
  /// The specification's own limit on arrays and structs in each other.
  private static final int DEEPEST = 64;

  private final ByteBuffer bytes;

  Unmarshaller(byte[] bytes, ByteOrder order) {
    this.bytes = ByteBuffer.wrap(bytes).order(order);
  }

  List<Value> values(String signature) {
    List<Value> values = new ArrayList<>();
    try {
      for (int at = 0; at < signature.length(); ) {
        int end = end(signature, at);
        values.add(value(signature.substring(at, end), 0));
        at = end;
      }
    } catch (java.nio.BufferUnderflowException
        | IndexOutOfBoundsException
        | IllegalArgumentException e) {
      throw new DBusException("malformed message of signature " + signature, e);
    }
    return values;
  }

  int position() {
    return bytes.position();
  }

  /// Where the complete type that begins at an index ends.
  static int end(String signature, int at) {
    return switch (signature.charAt(at)) {
      case 'a' -> end(signature, at + 1);
      case '(', '{' -> {
        int next = at + 1;
        while (signature.charAt(next) != ')' && signature.charAt(next) != '}')
          next = end(signature, next);
        yield next + 1;
      }
      case ')', '}' -> throw new IllegalArgumentException("unbalanced signature " + signature);
      default -> at + 1;
    };
  }

  private void align(int boundary) {
    bytes.position((bytes.position() + boundary - 1) / boundary * boundary);
  }

  private Value value(String type, int depth) {
    if (depth > DEEPEST) throw new IllegalArgumentException("too deep");
    align(Marshaller.boundary(type));
    char first = type.charAt(0);
    return switch (first) {
      case 'y' -> new Value.Int(first, bytes.get() & 0xff);
      case 'n' -> new Value.Int(first, bytes.getShort());
      case 'q' -> new Value.Int(first, bytes.getShort() & 0xffff);
      case 'i' -> new Value.Int(first, bytes.getInt());
      case 'u' -> new Value.Int(first, bytes.getInt() & 0xffffffffL);
      case 'x', 't' -> new Value.Int(first, bytes.getLong());
      case 'b' -> new Value.Bool(bytes.getInt() != 0);
      case 'd' -> new Value.Real(bytes.getDouble());
      case 's', 'o' -> new Value.Text(first, text(bytes.getInt()));
      case 'g' -> new Value.Text(first, text(bytes.get() & 0xff));
      case 'v' -> {
        String of = text(bytes.get() & 0xff);
        if (of.isEmpty() || end(of, 0) != of.length())
          throw new IllegalArgumentException("variant of signature " + of);
        yield new Value.Variant(value(of, depth + 1));
      }
      case 'a' -> array(type.substring(1), depth);
      case '(' -> new Value.Struct(fields(type, depth));
      case '{' -> {
        List<Value> both = fields(type, depth);
        if (both.size() != 2) throw new IllegalArgumentException("dictionary entry " + type);
        yield new Value.Entry(both.getFirst(), both.getLast());
      }
      default -> throw new IllegalArgumentException("no type of D-Bus: " + type);
    };
  }

  private Value array(String element, int depth) {
    int length = bytes.getInt();
    align(Marshaller.boundary(element));
    int end = bytes.position() + length;
    if (length < 0 || end > bytes.limit())
      throw new IllegalArgumentException("array of " + length + " bytes");
    List<Value> values = new ArrayList<>();
    while (bytes.position() < end) values.add(value(element, depth + 1));
    return new Value.Array(element, values);
  }

  private List<Value> fields(String type, int depth) {
    List<Value> fields = new ArrayList<>();
    for (int at = 1; at < type.length() - 1; ) {
      int end = end(type, at);
      fields.add(value(type.substring(at, end), depth + 1));
      at = end;
    }
    return fields;
  }

  private String text(int length) {
    if (length < 0 || length >= bytes.remaining())
      throw new IllegalArgumentException("text of " + length + " bytes");
    byte[] utf8 = new byte[length];
    bytes.get(utf8);
    bytes.get();
    return new String(utf8, StandardCharsets.UTF_8);
  }
}

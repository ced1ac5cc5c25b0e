package io.jrun.runtime.dbus;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// One message.
///
/// ```
///   byte order l or B | type | flags | version 1 | length of body u32 | serial u32 | fields a(yv) | to 8 | body
/// ```
///
/// @param serial the sender's number of it, not 0
/// @param fields of the header by their codes
record Message(int type, int flags, int serial, Map<Integer, Value> fields, List<Value> body) {
  static final int CALL = 1;
  static final int RETURN = 2;
  static final int ERROR = 3;
  static final int SIGNAL = 4;
  static final int NO_AUTO_START = 2;

  static final int PATH = 1;
  static final int INTERFACE = 2;
  static final int MEMBER = 3;
  static final int ERROR_NAME = 4;
  static final int REPLY_SERIAL = 5;
  static final int DESTINATION = 6;
  static final int SIGNATURE = 8;

  /// The specification's own limit, in bytes.
  private static final int LONGEST = 1 << 27;

  /// What is needed to know how long a message is.
  static final int FIXED = 16;

  Message {
    fields = Map.copyOf(fields);
    body = List.copyOf(body);
  }

  /// @param destination a bus name; empty where the other side is no bus
  static Message call(
      int serial,
      String destination,
      String path,
      String interfaceName,
      String member,
      List<Value> body) {
    Map<Integer, Value> fields = new LinkedHashMap<>();
    fields.put(PATH, Value.path(path));
    fields.put(INTERFACE, Value.string(interfaceName));
    fields.put(MEMBER, Value.string(member));
    if (!destination.isEmpty()) fields.put(DESTINATION, Value.string(destination));
    return new Message(CALL, NO_AUTO_START, serial, fields, body);
  }

  String text(int field) {
    return fields.get(field) instanceof Value.Text(char type, String text) ? text : "";
  }

  /// The serial of the call that this answers; 0 for none.
  int replySerial() {
    return fields.get(REPLY_SERIAL) instanceof Value.Int(char type, long number) ? (int) number : 0;
  }

  byte[] bytes() {
    StringBuilder signature = new StringBuilder();
    body.forEach(value -> signature.append(value.signature()));
    byte[] content = new Marshaller().addAll(body).bytes();
    List<Value> header = new ArrayList<>();
    fields.entrySet().stream()
        .sorted(Map.Entry.comparingByKey())
        .forEach(field -> header.add(field(field.getKey(), field.getValue())));
    if (!body.isEmpty()) header.add(field(SIGNATURE, new Value.Text('g', signature.toString())));
    Marshaller all = new Marshaller();
    for (int each : new int[] {'l', type, flags, 1}) all.number(each, 1);
    all.number(content.length, 4);
    all.number(serial, 4);
    all.add(new Value.Array("(yv)", header));
    all.align(8);
    byte[] head = all.bytes();
    byte[] whole = Arrays.copyOf(head, head.length + content.length);
    System.arraycopy(content, 0, whole, head.length, content.length);
    return whole;
  }

  private static Value field(int code, Value value) {
    return Value.struct(new Value.Int('y', code), new Value.Variant(value));
  }

  /// The length in bytes of the message that begins with these at least [#FIXED] ones.
  static int length(byte[] begin) {
    ByteBuffer buffer = ByteBuffer.wrap(begin).order(order(begin));
    long body = buffer.getInt(4) & 0xffffffffL;
    long fields = buffer.getInt(12) & 0xffffffffL;
    long length = (FIXED + fields + 7) / 8 * 8 + body;
    if (length > LONGEST) throw new DBusException("", "a message of " + length + " bytes");
    return (int) length;
  }

  static Message read(byte[] whole) {
    ByteOrder order = order(whole);
    Unmarshaller in = new Unmarshaller(whole, order);
    List<Value> fixed = in.values("yyyyuua(yv)");
    Map<Integer, Value> fields = new LinkedHashMap<>();
    for (Value each : ((Value.Array) fixed.get(6)).values()) {
      List<Value> pair = ((Value.Struct) each).fields();
      fields.put((int) number(pair.getFirst()), ((Value.Variant) pair.getLast()).value());
    }
    int start = (in.position() + 7) / 8 * 8;
    if (start > whole.length) throw new DBusException("", "a message without its end");
    String signature =
        fields.get(SIGNATURE) instanceof Value.Text(char type, String text) ? text : "";
    List<Value> body =
        new Unmarshaller(Arrays.copyOfRange(whole, start, whole.length), order).values(signature);
    return new Message(
        (int) number(fixed.get(1)),
        (int) number(fixed.get(2)),
        (int) number(fixed.get(5)),
        fields,
        body);
  }

  private static long number(Value value) {
    return ((Value.Int) value).value();
  }

  private static ByteOrder order(byte[] begin) {
    return switch (begin[0]) {
      case 'l' -> ByteOrder.LITTLE_ENDIAN;
      case 'B' -> ByteOrder.BIG_ENDIAN;
      default -> throw new DBusException("", "a message that begins with byte " + begin[0]);
    };
  }
}

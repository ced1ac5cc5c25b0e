package io.jrun.specs.proto;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.WireFormat;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A message as the values of its fields by number. An absent field has its type's default, and of
/// several values of a field that is not repeated the last one counts, as protobuf wants it.
public final class ProtoMessage {
  private static final byte[] NOTHING = {};

  private record Field(int number, long value, byte[] bytes) {}

  private final List<Field> fields = new ArrayList<>();

  private ProtoMessage() {}

  /// @throws ProtoException for bytes that are no message
  public static ProtoMessage parse(byte[] bytes) {
    ProtoMessage message = new ProtoMessage();
    CodedInputStream in = CodedInputStream.newInstance(bytes);
    try {
      for (int tag = in.readTag(); tag != 0; tag = in.readTag()) message.add(in, tag);
    } catch (IOException e) {
      throw new ProtoException("malformed message: " + e.getMessage());
    }
    return message;
  }

  private void add(CodedInputStream in, int tag) throws IOException {
    int number = WireFormat.getTagFieldNumber(tag);
    switch (WireFormat.getTagWireType(tag)) {
      case WireFormat.WIRETYPE_VARINT ->
          fields.add(new Field(number, in.readRawVarint64(), NOTHING));
      case WireFormat.WIRETYPE_FIXED64 ->
          fields.add(new Field(number, in.readRawLittleEndian64(), NOTHING));
      case WireFormat.WIRETYPE_FIXED32 ->
          fields.add(new Field(number, in.readRawLittleEndian32(), NOTHING));
      case WireFormat.WIRETYPE_LENGTH_DELIMITED ->
          fields.add(new Field(number, 0, in.readByteArray()));
      default -> in.skipField(tag);
    }
  }

  private @Nullable Field last(int number) {
    for (int i = fields.size() - 1; i >= 0; i--)
      if (fields.get(i).number() == number) return fields.get(i);
    return null;
  }

  public boolean has(int number) {
    return last(number) != null;
  }

  public long int64(int number) {
    Field field = last(number);
    return field == null ? 0 : field.value();
  }

  public int int32(int number) {
    return (int) int64(number);
  }

  public boolean bool(int number) {
    return int64(number) != 0;
  }

  public byte[] bytes(int number) {
    Field field = last(number);
    return field == null ? NOTHING : field.bytes();
  }

  public String string(int number) {
    return new String(bytes(number), StandardCharsets.UTF_8);
  }

  public ProtoMessage message(int number) {
    return parse(bytes(number));
  }

  /// The values of a repeated field of messages.
  public List<ProtoMessage> messages(int number) {
    return fields.stream().filter(f -> f.number() == number).map(f -> parse(f.bytes())).toList();
  }

  public List<String> strings(int number) {
    return fields.stream()
        .filter(f -> f.number() == number)
        .map(f -> new String(f.bytes(), StandardCharsets.UTF_8))
        .toList();
  }

  /// The numbers of a repeated field, packed or not.
  public List<Long> int64s(int number) {
    List<Long> all = new ArrayList<>();
    for (Field field : fields) {
      if (field.number() != number) continue;
      if (field.bytes() == NOTHING) all.add(field.value());
      else addPacked(all, field.bytes());
    }
    return all;
  }

  private static void addPacked(List<Long> all, byte[] bytes) {
    CodedInputStream in = CodedInputStream.newInstance(bytes);
    try {
      while (!in.isAtEnd()) all.add(in.readRawVarint64());
    } catch (IOException e) {
      throw new ProtoException("malformed numbers: " + e.getMessage());
    }
  }

  /// A map of strings.
  public Map<String, String> stringMap(int number) {
    Map<String, String> map = new LinkedHashMap<>();
    for (ProtoMessage entry : messages(number)) map.put(entry.string(1), entry.string(2));
    return map;
  }

  /// A google.protobuf.Timestamp.
  public Instant timestamp(int number) {
    ProtoMessage timestamp = message(number);
    try {
      return Instant.ofEpochSecond(timestamp.int64(1), timestamp.int32(2));
    } catch (DateTimeException e) {
      throw new ProtoException("malformed timestamp: " + e.getMessage());
    }
  }
}

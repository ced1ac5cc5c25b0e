package io.jrun.runtime.criu;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The fields of one message in protobuf's wire format. Of a field that comes several times the
/// last one counts; fields that nobody asks for are no harm.
final class ProtoFields {
  private final Map<Integer, Long> numbers = new HashMap<>();
  private final Map<Integer, byte[]> chunks = new HashMap<>();
  private final byte[] bytes;
  private int at;

  private ProtoFields(byte[] bytes) {
    this.bytes = bytes;
  }

  /// @throws CriuException when it is no message
  static ProtoFields read(byte[] bytes) {
    ProtoFields fields = new ProtoFields(bytes);
    while (fields.at < bytes.length) fields.field();
    return fields;
  }

  private void field() {
    long tag = varint();
    int field = (int) (tag >>> 3);
    switch ((int) (tag & 7)) {
      case ProtoWriter.VARINT -> numbers.put(field, varint());
      case ProtoWriter.LENGTH -> chunks.put(field, chunk(varint()));
      case ProtoWriter.FIXED64 -> chunk(8);
      case ProtoWriter.FIXED32 -> chunk(4);
      default -> throw malformed();
    }
  }

  private long varint() {
    long value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (at == bytes.length) throw malformed();
      byte next = bytes[at++];
      value |= (long) (next & 0x7f) << shift;
      if (next >= 0) return value;
    }
    throw malformed();
  }

  private byte[] chunk(long length) {
    if (length < 0 || length > bytes.length - at) throw malformed();
    at += (int) length;
    return Arrays.copyOfRange(bytes, at - (int) length, at);
  }

  private CriuException malformed() {
    return new CriuException("malformed message from criu, at byte " + at);
  }

  long number(int field, long absent) {
    return numbers.getOrDefault(field, absent);
  }

  boolean flag(int field) {
    return number(field, 0) != 0;
  }

  String text(int field) {
    byte[] chunk = chunks.get(field);
    return chunk == null ? "" : new String(chunk, StandardCharsets.UTF_8);
  }

  /// A message within this one; null where it is absent.
  @Nullable ProtoFields message(int field) {
    byte[] chunk = chunks.get(field);
    return chunk == null ? null : read(chunk);
  }
}

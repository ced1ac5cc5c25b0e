package io.jrun.specs.proto;

import com.google.protobuf.CodedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Map;

/// Writes a message field by field; a value that is its type's default is left out, as proto3 has
/// it.
public final class ProtoWriter {
  private static final int BUFFER = 256;

  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final CodedOutputStream out = CodedOutputStream.newInstance(bytes, BUFFER);

  private interface Step {
    void run() throws IOException;
  }

  private ProtoWriter perform(Step step) {
    try {
      step.run();
      return this;
    } catch (IOException e) {
      throw new UncheckedIOException(e); // of memory, which does not fail
    }
  }

  public ProtoWriter uint32(int number, int value) {
    return value == 0 ? this : perform(() -> out.writeUInt32(number, value));
  }

  public ProtoWriter int32(int number, int value) {
    return value == 0 ? this : perform(() -> out.writeInt32(number, value));
  }

  public ProtoWriter int64(int number, long value) {
    return value == 0 ? this : perform(() -> out.writeInt64(number, value));
  }

  public ProtoWriter uint64(int number, long value) {
    return value == 0 ? this : perform(() -> out.writeUInt64(number, value));
  }

  /// A repeated field of numbers, one behind the other.
  public ProtoWriter packedUint64(int number, long... values) {
    ProtoWriter packed = new ProtoWriter();
    for (long value : values) packed.perform(() -> packed.out.writeUInt64NoTag(value));
    return bytes(number, packed.toBytes());
  }

  public ProtoWriter float64(int number, double value) {
    return value == 0 ? this : perform(() -> out.writeDouble(number, value));
  }

  public ProtoWriter bool(int number, boolean value) {
    return value ? perform(() -> out.writeBool(number, true)) : this;
  }

  /// A number, or the value of an enumeration, that is there even where it is 0, as proto2 has it.
  public ProtoWriter present(int number, long value) {
    return perform(() -> out.writeInt64(number, value));
  }

  /// As [#present], of a bool.
  public ProtoWriter present(int number, boolean value) {
    return present(number, value ? 1 : 0);
  }

  /// As [#present], of a text.
  public ProtoWriter present(int number, String value) {
    return message(number, value.getBytes(StandardCharsets.UTF_8));
  }

  public ProtoWriter string(int number, String value) {
    return bytes(number, value.getBytes(StandardCharsets.UTF_8));
  }

  public ProtoWriter bytes(int number, byte[] value) {
    return value.length == 0 ? this : message(number, value);
  }

  /// A message that is there, even where all its fields have their defaults; also an entry of a
  /// repeated field.
  public ProtoWriter message(int number, byte[] value) {
    return perform(() -> out.writeByteArray(number, value));
  }

  public ProtoWriter message(int number, ProtoWriter value) {
    return message(number, value.toBytes());
  }

  public ProtoWriter stringMap(int number, Map<String, String> values) {
    values.forEach(
        (key, value) -> message(number, new ProtoWriter().string(1, key).string(2, value)));
    return this;
  }

  /// A google.protobuf.Timestamp.
  public ProtoWriter timestamp(int number, Instant at) {
    return message(number, new ProtoWriter().int64(1, at.getEpochSecond()).int32(2, at.getNano()));
  }

  public byte[] toBytes() {
    perform(out::flush);
    return bytes.toByteArray();
  }
}

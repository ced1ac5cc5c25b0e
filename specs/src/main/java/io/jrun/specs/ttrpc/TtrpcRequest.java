package io.jrun.specs.ttrpc;

import io.jrun.specs.proto.ProtoMessage;
import io.jrun.specs.proto.ProtoWriter;
import java.util.LinkedHashMap;
import java.util.Map;

/// A call: which method of which service, and its message.
///
/// @param timeoutNanos 0 for none
/// @param metadata of several values of a key the last one
public record TtrpcRequest(
    String service,
    String method,
    byte[] payload,
    long timeoutNanos,
    Map<String, String> metadata) {
  public TtrpcRequest {
    metadata = Map.copyOf(metadata);
  }

  public static TtrpcRequest read(byte[] bytes) {
    ProtoMessage m = ProtoMessage.parse(bytes);
    Map<String, String> metadata = new LinkedHashMap<>();
    for (ProtoMessage pair : m.messages(5)) metadata.put(pair.string(1), pair.string(2));
    return new TtrpcRequest(m.string(1), m.string(2), m.bytes(3), m.int64(4), metadata);
  }

  public byte[] toBytes() {
    ProtoWriter writer =
        new ProtoWriter()
            .string(1, service)
            .string(2, method)
            .bytes(3, payload)
            .int64(4, timeoutNanos);
    metadata.forEach(
        (key, value) -> writer.message(5, new ProtoWriter().string(1, key).string(2, value)));
    return writer.toBytes();
  }
}

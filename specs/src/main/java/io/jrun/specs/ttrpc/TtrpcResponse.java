package io.jrun.specs.ttrpc;

import io.jrun.specs.proto.ProtoMessage;
import io.jrun.specs.proto.ProtoWriter;

/// An answer: a status (google.rpc.Status), and with OK the method's message.
public record TtrpcResponse(StatusCode code, String message, byte[] payload) {
  private static final byte[] NOTHING = {};

  public static TtrpcResponse ok(byte[] payload) {
    return new TtrpcResponse(StatusCode.OK, "", payload);
  }

  public static TtrpcResponse failure(StatusCode code, String message) {
    return new TtrpcResponse(code, message, NOTHING);
  }

  public static TtrpcResponse read(byte[] bytes) {
    ProtoMessage m = ProtoMessage.parse(bytes);
    ProtoMessage status = m.message(1);
    return new TtrpcResponse(StatusCode.of(status.int32(1)), status.string(2), m.bytes(2));
  }

  public byte[] toBytes() {
    ProtoWriter writer = new ProtoWriter();
    if (code != StatusCode.OK)
      writer.message(1, new ProtoWriter().int32(1, code.value()).string(2, message));
    return writer.bytes(2, payload).toBytes();
  }
}

package io.jrun.specs.task;

import io.jrun.specs.proto.ProtoMessage;
import io.jrun.specs.proto.ProtoWriter;

/// A google.protobuf.Any. containerd writes the bare name of the type as its URL.
public record AnyValue(String typeUrl, byte[] value) {
  public static AnyValue read(ProtoMessage m) {
    return new AnyValue(m.string(1), m.bytes(2));
  }

  public ProtoWriter toProto() {
    return new ProtoWriter().string(1, typeUrl).bytes(2, value);
  }

  /// The name of the type, without what may stand before it.
  public String type() {
    return typeUrl.startsWith("type.googleapis.com/")
        ? typeUrl.substring("type.googleapis.com/".length())
        : typeUrl;
  }
}

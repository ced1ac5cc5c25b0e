package io.jrun.runtime.shim;

import io.jrun.specs.proto.ProtoWriter;

/// What `-info` prints: `containerd.runtime.v1.RuntimeInfo`.
final class ShimInfo {
  private ShimInfo() {}

  static byte[] answer() {
    return new ProtoWriter()
        .string(1, "io.containerd.jrun.v2")
        .message(2, new ProtoWriter().string(1, "0.1.0"))
        .toBytes();
  }
}

package io.jrun.runtime.shim;

import io.jrun.specs.proto.ProtoWriter;
import io.jrun.specs.task.AnyValue;
import java.nio.charset.StandardCharsets;

/// What `-info` prints: `containerd.runtime.v1.RuntimeInfo`, by which the CRI plugin of containerd
/// 2 learns whether user namespaces and recursive read-only mounts work.
final class ShimInfo {
  private static final String FEATURES =
      "types.containerd.io/opencontainers/runtime-spec/1/features/Features";

  private ShimInfo() {}

  /// @param features the features document, as JSON
  static byte[] answer(String features) {
    return new ProtoWriter()
        .string(1, "io.containerd.jrun.v2")
        .message(2, new ProtoWriter().string(1, "0.1.0"))
        .message(4, new AnyValue(FEATURES, features.getBytes(StandardCharsets.UTF_8)).toProto())
        .toBytes();
  }
}

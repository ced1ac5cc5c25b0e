package io.jrun.specs.sandbox;

import io.jrun.specs.proto.ProtoMessage;
import io.jrun.specs.task.AnyValue;

/// CreateSandboxRequest.
///
/// @param hasRootfs whether mounts for a root file system come with it
/// @param options of CRI the pod's configuration
/// @param network the path of the network namespace; empty for the host's
public record CreateSandbox(
    String id, String bundle, boolean hasRootfs, AnyValue options, String network) {
  public static CreateSandbox read(byte[] bytes) {
    ProtoMessage m = ProtoMessage.parse(bytes);
    return new CreateSandbox(
        m.string(1), m.string(2), m.has(3), AnyValue.read(m.message(4)), m.string(5));
  }
}

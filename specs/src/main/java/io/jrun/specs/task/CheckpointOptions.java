package io.jrun.specs.task;

import io.jrun.specs.proto.ProtoMessage;
import java.util.List;

/// `containerd.runc.v1.CheckpointOptions`.
///
/// @param exit whether the container ends then
public record CheckpointOptions(
    boolean exit,
    boolean openTcp,
    boolean externalUnixSockets,
    boolean terminal,
    boolean fileLocks,
    List<String> emptyNamespaces,
    String cgroupsMode,
    String imagePath,
    String workPath) {
  public CheckpointOptions {
    emptyNamespaces = List.copyOf(emptyNamespaces);
  }

  public static CheckpointOptions read(AnyValue options) {
    ProtoMessage m = ProtoMessage.parse(options.value());
    return new CheckpointOptions(
        m.bool(1),
        m.bool(2),
        m.bool(3),
        m.bool(4),
        m.bool(5),
        m.strings(6),
        m.string(7),
        m.string(8),
        m.string(9));
  }
}

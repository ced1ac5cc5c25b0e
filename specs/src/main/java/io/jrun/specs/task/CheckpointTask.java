package io.jrun.specs.task;

import io.jrun.specs.proto.ProtoMessage;
import java.util.List;

/// CheckpointTaskRequest, with the `containerd.runc.v1.CheckpointOptions` that it may have.
///
/// @param path the directory of the images
/// @param exit whether the container ends then
/// @param cgroupsMode `soft`, `full`, `strict`, `ignore`, or empty
/// @param workPath the directory of CRIU's logs; empty for one of the shim's own
/// @param parentPath images of an earlier dump, relative to these; empty for none
public record CheckpointTask(
    String id,
    String path,
    boolean exit,
    boolean openTcp,
    boolean externalUnixSockets,
    boolean terminal,
    boolean fileLocks,
    List<String> emptyNamespaces,
    String cgroupsMode,
    String workPath,
    String parentPath) {
  public CheckpointTask {
    emptyNamespaces = List.copyOf(emptyNamespaces);
  }

  /// The same with that directory of CRIU's logs.
  public CheckpointTask withWorkPath(String other) {
    return new CheckpointTask(
        id,
        path,
        exit,
        openTcp,
        externalUnixSockets,
        terminal,
        fileLocks,
        emptyNamespaces,
        cgroupsMode,
        other,
        parentPath);
  }

  public static CheckpointTask read(byte[] bytes) {
    ProtoMessage request = ProtoMessage.parse(bytes);
    ProtoMessage m = ProtoMessage.parse(AnyValue.read(request.message(3)).value());
    return new CheckpointTask(
        request.string(1),
        request.string(2),
        m.bool(1),
        m.bool(2),
        m.bool(3),
        m.bool(4),
        m.bool(5),
        m.strings(6),
        m.string(7),
        m.string(9),
        m.string(10));
  }
}

package io.jrun.specs.task;

import io.jrun.specs.proto.ProtoMessage;
import java.util.List;

/// CreateTaskRequest.
///
/// @param checkpoint the directory of the image to restore from; empty for a new container
public record CreateTask(
    String id,
    String bundle,
    List<RootfsMount> rootfs,
    StdioPaths stdio,
    String checkpoint,
    String parentCheckpoint,
    AnyValue options) {
  public CreateTask {
    rootfs = List.copyOf(rootfs);
  }

  public static CreateTask read(byte[] bytes) {
    ProtoMessage m = ProtoMessage.parse(bytes);
    return new CreateTask(
        m.string(1),
        m.string(2),
        m.messages(3).stream().map(RootfsMount::read).toList(),
        new StdioPaths(m.string(5), m.string(6), m.string(7), m.bool(4)),
        m.string(8),
        m.string(9),
        AnyValue.read(m.message(10)));
  }
}

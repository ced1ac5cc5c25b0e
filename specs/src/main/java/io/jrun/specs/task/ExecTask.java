package io.jrun.specs.task;

import io.jrun.specs.proto.ProtoMessage;

/// ExecProcessRequest.
///
/// @param process the process document, as JSON
public record ExecTask(String id, String execId, StdioPaths stdio, byte[] process) {
  public static ExecTask read(byte[] bytes) {
    ProtoMessage m = ProtoMessage.parse(bytes);
    return new ExecTask(
        m.string(1),
        m.string(2),
        new StdioPaths(m.string(4), m.string(5), m.string(6), m.bool(3)),
        AnyValue.read(m.message(7)).value());
  }
}

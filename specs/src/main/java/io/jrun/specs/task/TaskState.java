package io.jrun.specs.task;

import io.jrun.specs.proto.ProtoWriter;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/// StateResponse.
///
/// @param exitedAt null before the process has ended
public record TaskState(
    String id,
    String bundle,
    int pid,
    TaskStatus status,
    StdioPaths stdio,
    int exitStatus,
    @Nullable Instant exitedAt,
    String execId) {
  public byte[] toBytes() {
    ProtoWriter writer =
        new ProtoWriter()
            .string(1, id)
            .string(2, bundle)
            .uint32(3, pid)
            .uint32(4, status.number())
            .string(5, stdio.stdin())
            .string(6, stdio.stdout())
            .string(7, stdio.stderr())
            .bool(8, stdio.terminal())
            .uint32(9, exitStatus);
    if (exitedAt != null) writer.timestamp(10, exitedAt);
    return writer.string(11, execId).toBytes();
  }
}

package io.jrun.specs.task;

import io.jrun.specs.proto.ProtoMessage;
import io.jrun.specs.proto.ProtoWriter;
import java.util.List;

/// A `containerd.types.Mount`.
///
/// @param target below the mount point; empty for the mount point itself
public record RootfsMount(String type, String source, String target, List<String> options) {
  public RootfsMount {
    options = List.copyOf(options);
  }

  public static RootfsMount read(ProtoMessage m) {
    return new RootfsMount(m.string(1), m.string(2), m.string(3), m.strings(4));
  }

  public ProtoWriter toProto() {
    ProtoWriter writer = new ProtoWriter().string(1, type).string(2, source).string(3, target);
    for (String option : options) writer.string(4, option);
    return writer;
  }
}

package io.jrun.specs.task;

import io.jrun.specs.proto.ProtoMessage;

/// `containerd.runc.v1.Options`, with which the CRI plugin and others configure runtimes. Another
/// type of options, such as the TOML of `runtimeoptions.v1.Options`, says nothing to jrun.
///
/// @param root the directory of the containers' state; empty for the default
public record RuncOptions(
    boolean noPivotRoot,
    boolean noNewKeyring,
    String shimCgroup,
    int ioUid,
    int ioGid,
    String binaryName,
    String root,
    boolean systemdCgroup,
    String criuImagePath,
    String criuWorkPath) {
  public static final String TYPE = "containerd.runc.v1.Options";

  public static final RuncOptions NONE =
      new RuncOptions(false, false, "", 0, 0, "", "", false, "", "");

  public static RuncOptions read(AnyValue options) {
    if (!options.type().equals(TYPE)) return NONE;
    ProtoMessage m = ProtoMessage.parse(options.value());
    return new RuncOptions(
        m.bool(1),
        m.bool(2),
        m.string(3),
        m.int32(4),
        m.int32(5),
        m.string(6),
        m.string(7),
        m.bool(9),
        m.string(10),
        m.string(11));
  }
}

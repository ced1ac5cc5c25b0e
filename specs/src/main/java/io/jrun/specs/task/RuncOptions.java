package io.jrun.specs.task;

import io.jrun.specs.proto.ProtoMessage;
import java.util.function.Function;

/// `containerd.runc.v1.Options`, with which the CRI plugin and others configure runtimes; or the
/// same options as the TOML of `runtimeoptions.v1.Options`, which containerd since 1.7 sends to a
/// runtime whose type is not runc's. Another type of options says nothing to jrun.
///
/// @param root the directory of the containers' state; empty for the default
/// @param criuPath of CRIU; empty for the one of containerd's PATH. containerd 2 no longer has it
public record RuncOptions(
    boolean noPivotRoot,
    boolean noNewKeyring,
    String shimCgroup,
    int ioUid,
    int ioGid,
    String binaryName,
    String root,
    String criuPath,
    boolean systemdCgroup,
    String criuImagePath,
    String criuWorkPath) {
  public static final String TYPE = "containerd.runc.v1.Options";

  private static final String GENERIC = "runtimeoptions.v1.Options";

  public static final RuncOptions NONE =
      new RuncOptions(false, false, "", 0, 0, "", "", "", false, "", "");

  /// @param file reads the file of a path that the options may be in instead (`ConfigPath`, all
  ///   that containerd 1.6 sends of such options)
  /// @throws IllegalArgumentException on TOML that jrun does not understand
  public static RuncOptions read(AnyValue options, Function<String, String> file) {
    if (options.type().endsWith(GENERIC)) { // 1.6 has it in another package
      ProtoMessage generic = ProtoMessage.parse(options.value());
      String path = generic.string(2);
      return ofTable(OptionsTable.parse(path.isEmpty() ? generic.string(3) : file.apply(path)));
    }
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
        m.string(8),
        m.bool(9),
        m.string(10),
        m.string(11));
  }

  /// The names are those of runc's options in containerd's configuration.
  private static RuncOptions ofTable(OptionsTable table) {
    table.takeText("TypeUrl"); // of the message that brought them
    RuncOptions options =
        new RuncOptions(
            table.takeFlag("NoPivotRoot"),
            table.takeFlag("NoNewKeyring"),
            table.takeText("ShimCgroup"),
            table.takeNumber("IoUid"),
            table.takeNumber("IoGid"),
            table.takeText("BinaryName"),
            table.takeText("Root"),
            table.takeText("CriuPath"),
            table.takeFlag("SystemdCgroup"),
            table.takeText("CriuImagePath"),
            table.takeText("CriuWorkPath"));
    table.end();
    return options;
  }
}

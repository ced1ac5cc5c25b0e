package io.jrun.specs.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrun.specs.proto.ProtoWriter;
import org.junit.jupiter.api.Test;

class RuncOptionsTest {
  private static RuncOptions table(String toml) {
    byte[] message = new ProtoWriter().string(3, toml).toBytes();
    return read("runtimeoptions.v1.Options", message);
  }

  @Test
  void runcsMessageIsRead() {
    byte[] message =
        new ProtoWriter()
            .uint32(4, 1000)
            .uint32(5, 2000)
            .string(7, "/r")
            .string(8, "/c")
            .bool(9, true)
            .toBytes();
    RuncOptions options = read(RuncOptions.TYPE, message);
    assertThat(options)
        .isEqualTo(new RuncOptions(false, false, "", 1000, 2000, "", "/r", "/c", true, "", ""));
  }

  @Test
  void theTableOfTheConfigurationSaysTheSame() {
    RuncOptions options =
        table(
            """
            # by hand
            BinaryName = ""
            IoGid = 2000
            IoUid = 4294967295
              NoPivotRoot=true
            Root = '/r = #1'
            ShimCgroup = "/a b"
            CriuPath = "/d"
            SystemdCgroup = true
            """);
    assertThat(options)
        .isEqualTo(
            new RuncOptions(true, false, "/a b", -1, 2000, "", "/r = #1", "/d", true, "", ""));
  }

  @Test
  void anEmptyTableAndOtherMessagesSayNothing() {
    assertThat(table("")).isEqualTo(RuncOptions.NONE);
    assertThat(read("", new byte[0])).isEqualTo(RuncOptions.NONE);
    assertThat(read("other", new byte[] {1})).isEqualTo(RuncOptions.NONE);
  }

  @Test
  void whatIsNotUnderstoodIsNamed() {
    assertRefused("SystemdCgroups = true", "[SystemdCgroups]");
    assertRefused("SystemdCgroup = \"yes\"", "SystemdCgroup");
    assertRefused("IoUid = -1", "IoUid = -1");
    assertRefused("IoUid = 4294967296", "IoUid");
    assertRefused("[table]", "[table]");
    assertRefused("Root = \"a\\tb\"", "Root");
    assertRefused("Root = \"a", "Root");
    assertRefused("Root = \"", "Root");
    assertRefused("Root =", "Root");
    assertRefused("= 1", "= 1");
  }

  @Test
  void theTableMayBeInAFile() {
    byte[] message = new ProtoWriter().string(2, "/etc/jrun.toml").toBytes();
    AnyValue options = new AnyValue("cri.runtimeoptions.v1.Options", message);
    assertThat(RuncOptions.read(options, path -> "Root = '" + path + "'").root())
        .isEqualTo("/etc/jrun.toml");
  }

  private static RuncOptions read(String type, byte[] message) {
    return RuncOptions.read(
        new AnyValue(type, message),
        path -> {
          throw new AssertionError(path);
        });
  }

  private static void assertRefused(String toml, String named) {
    assertThatThrownBy(() -> table(toml))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(named);
  }
}

package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Bind mounts whose files show other ids.
class IdMappedMountsIT extends EndToEnd {
  private static final String MAPPINGS =
      "uidMappings:[{containerID:0,hostID:5000,size:10}],gidMappings:[{containerID:0,hostID:6000,size:10}]";

  @SuppressWarnings("NullAway.Init")
  private Path source;

  @BeforeEach
  void makeSource() throws IOException {
    RUNTIME.assumeRecent("id-mapped mounts");
    source = Files.createDirectory(temp.resolve("source"));
    Files.writeString(source.resolve("file"), "x");
    Files.createDirectory(source.resolve("inner"));
  }

  private void mount(String options, String mappings) {
    config.mount(
        "{destination:'/mnt',type:'bind',source:'%s',options:[%s]%s}"
            .formatted(source, options, mappings.isEmpty() ? "" : "," + mappings));
  }

  @Test
  void filesShowTheMappedIdsAndNewOnesHaveTheirOwn() throws IOException {
    mount("'bind','idmap'", MAPPINGS);
    assertThat(runSh("stat -c %u:%g /mnt/file").succeeds().text()).isEqualTo("5000:6000");
    config.set("/process/user", "{uid:5001,gid:6001}").writableRoot();
    Files.setPosixFilePermissions(
        source, java.nio.file.attribute.PosixFilePermissions.fromString("rwxrwxrwx"));
    runSh("touch /mnt/new; stat -c %u:%g /mnt/new").succeeds();
    assertThat(Files.getAttribute(source.resolve("new"), "unix:uid")).isEqualTo(1);
    assertThat(Files.getAttribute(source.resolve("new"), "unix:gid")).isEqualTo(1);
  }

  @Test
  void mappingsWithoutTheOptionDoToo() throws IOException {
    mount("'rbind','ro'", MAPPINGS);
    assertThat(runSh("stat -c %u:%g /mnt/file; touch /mnt/x 2>&1").exits(1).out())
        .startsWith("5000:6000")
        .contains("Read-only");
  }

  @Test
  void ridmapReachesTheMountsBelow() throws IOException {
    // of the same file system: a tmpfs can be mapped only since Linux 6.3
    Path below = Files.createDirectory(temp.resolve("below"));
    Command.of("mount", "--bind", below.toString(), source.resolve("inner").toString())
        .run()
        .succeeds();
    try {
      Files.writeString(source.resolve("inner/deep"), "x");
      mount("'rbind','ridmap'", MAPPINGS);
      assertThat(runSh("stat -c %u:%g /mnt/file /mnt/inner/deep").succeeds().lines())
          .containsExactly("5000:6000", "5000:6000");
    } finally {
      Command.of("umount", source.resolve("inner").toString()).run().succeeds();
    }
  }

  @Test
  void theContainersUserNamespaceIsTheMapping() throws IOException {
    config
        .set("/linux/namespaces/-", "{type:'user'}")
        .set("/linux/uidMappings", "[{containerID:0,hostID:200000,size:65536}]")
        .set("/linux/gidMappings", "[{containerID:0,hostID:200000,size:65536}]");
    Command.of("chown", "-hR", "200000:200000", bundle.rootfs().toString()).run().succeeds();
    mount("'bind','idmap'", "");
    // root's file on the host is root's file in the container
    assertThat(runSh("stat -c %u:%g /mnt/file; touch /mnt/made").succeeds().text())
        .isEqualTo("0:0");
    assertThat(Files.getAttribute(source.resolve("made"), "unix:uid")).isEqualTo(0);
  }

  @Test
  void whatCannotBeMappedIsRefused() throws IOException {
    mount("'bind','idmap'", "");
    assertThat(run().fails().err()).contains("user namespace");
    assertThat(ids()).isEmpty();
  }
}

package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// The mount option `tmpcopyup`.
class CopyUpIT extends EndToEnd {
  @BeforeEach
  void fillTheDirectory() throws IOException {
    Path data = Files.createDirectories(bundle.rootfs().resolve("data/deep/er"));
    Files.writeString(data.resolve("file"), "content");
    Files.write(bundle.rootfs().resolve("data/big"), new byte[3_000_000]);
    Files.createSymbolicLink(bundle.rootfs().resolve("data/link"), Path.of("/etc/hostname"));
    for (int i = 0; i < 150; i++)
      Files.writeString(bundle.rootfs().resolve("data/many-" + i), "" + i);
    Path mine = Files.writeString(bundle.rootfs().resolve("data/mine"), "x");
    Files.setPosixFilePermissions(mine, PosixFilePermissions.fromString("rwxr-x---"));
    Command.of("chown", "12:34", mine.toString()).run().succeeds();
  }

  private void mount(String options) {
    config.mount(
        "{destination:'/data',type:'tmpfs',source:'tmpfs',options:['tmpcopyup'%s]}"
            .formatted(options));
  }

  @Test
  void theTmpfsHasWhatItCovers() throws IOException {
    mount(",'mode=755'");
    Outcome outcome =
        runSh(
                "cat /data/deep/er/file; echo; stat -c %s /data/big; readlink /data/link; cat /data/many-149; echo; stat -c %u:%g:%a /data/mine; ls /data | wc -l; echo changed > /data/deep/er/file && grep -c ' /data tmpfs' /proc/mounts")
            .succeeds();
    assertThat(outcome.lines())
        .containsExactly("content", "3000000", "/etc/hostname", "149", "12:34:750", "154", "1");
    assertThat(Files.readString(bundle.rootfs().resolve("data/deep/er/file"))).isEqualTo("content");
  }

  @Test
  void readOnlyComesAfterTheCopy() throws IOException {
    mount(",'ro'");
    assertThat(runSh("cat /data/deep/er/file; touch /data/x 2>&1").exits(1).out())
        .startsWith("content")
        .contains("Read-only");
  }

  @Test
  void aMissingDirectoryIsMadeAndEmpty() throws IOException {
    config
        .writableRoot()
        .mount("{destination:'/fresh',type:'tmpfs',source:'tmpfs',options:['tmpcopyup']}");
    assertThat(runSh("ls /fresh | wc -l").succeeds().text()).isEqualTo("0");
  }

  @Test
  void aSymlinkLeadsNowhereOutside() throws IOException {
    Path outside = Files.createDirectory(temp.resolve("outside"));
    Files.writeString(outside.resolve("secret"), "secret");
    Files.createSymbolicLink(bundle.rootfs().resolve("trap"), outside);
    config
        .writableRoot()
        .mount("{destination:'/trap',type:'tmpfs',source:'tmpfs',options:['tmpcopyup']}");
    Outcome outcome = runSh("cat /trap/secret");
    assertThat(outcome.out()).doesNotContain("secret");
  }

  @Test
  void inAUserNamespaceToo() throws IOException {
    config
        .set("/linux/namespaces/-", "{type:'user'}")
        .set("/linux/uidMappings", "[{containerID:0,hostID:0,size:65536}]")
        .set("/linux/gidMappings", "[{containerID:0,hostID:0,size:65536}]");
    mount("");
    assertThat(runSh("stat -c %u:%g /data/mine").succeeds().text()).isEqualTo("12:34");
  }
}

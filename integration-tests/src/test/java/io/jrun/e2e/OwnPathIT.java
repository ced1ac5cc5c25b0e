package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Mounts whose source or destination is a host's path into the container's own root file system.
class OwnPathIT extends EndToEnd {
  @BeforeEach
  void bindADirectory() throws IOException {
    Path source = Files.createDirectory(temp.resolve("source"));
    Files.writeString(source.resolve("file"), "content\n");
    config.writableRoot();
    bind(source.toString(), "/opt", "");
  }

  private void bind(String source, String destination, String more) {
    config.mount(
        "{destination:'%s',type:'bind',source:'%s',options:['rbind'%s}"
            .formatted(destination, source, more.isEmpty() ? "]" : more));
  }

  private String own(String path) {
    return bundle.rootfs() + path;
  }

  private void inAUserNamespace() {
    config.set("/linux/namespaces/-", "{type:'user'}");
    for (String ids : List.of("uidMappings", "gidMappings"))
      config.set("/linux/" + ids, "[{containerID:0,hostID:100000,size:65536}]");
    Command.of("chown", "-R", "100000:100000", bundle.rootfs().toString()).run().succeeds();
  }

  @Test
  void aSourceIsWhatEarlierMountsHaveMadeOfIt() throws IOException {
    bind(own("/opt"), "/mnt", "");
    bind(own("/opt/file"), "/srv/file", "");
    assertThat(runSh("cat /mnt/file /srv/file").succeeds().lines())
        .containsExactly("content", "content");
  }

  @Test
  void inAUserNamespaceToo() throws IOException {
    RUNTIME.assumeRecent("sources in the container of a user namespace");
    inAUserNamespace();
    bind(own("/opt"), "/mnt", "");
    bind(own("/opt/file"), "/srv/file", "");
    assertThat(runSh("cat /mnt/file /srv/file").succeeds().lines())
        .containsExactly("content", "content");
  }

  private void mapped() {
    bind(
        own("/opt"),
        "/mnt",
        ",'idmap'],uidMappings:[{containerID:0,hostID:5000,size:9}],"
            + "gidMappings:[{containerID:0,hostID:5000,size:9}]");
  }

  @Test
  void itCanBeMapped() throws IOException {
    RUNTIME.assumeRecent("id-mapped mounts");
    mapped();
    assertThat(runSh("stat -c %u /opt/file /mnt/file").succeeds().lines())
        .containsExactly("0", "5000");
  }

  @Test
  void itCanBeMappedInAUserNamespace() throws IOException {
    RUNTIME.assumeRecent("id-mapped mounts");
    inAUserNamespace();
    mapped();
    assertThat(runSh("cat /mnt/file").succeeds().text()).isEqualTo("content");
  }

  @Test
  void aDestinationGoesWithoutTheRootsPath() throws IOException {
    RUNTIME.assumeRecent("destinations by the host's path");
    config.mount(
        "{destination:'%s',type:'tmpfs',source:'tmpfs'}".formatted(own("/opt/../mnt/here")));
    assertThat(runSh("grep -c ' / /mnt/here ' /proc/self/mountinfo").succeeds().text())
        .isEqualTo("1");
    assertThat(Path.of(own(own("")))).doesNotExist();
  }

  /// runc and crun bind what the image's link says of the host.
  @JrunOnly
  @Test
  void noLinkLeadsOutOfTheRoot() throws IOException {
    Files.createSymbolicLink(bundle.rootfs().resolve("link"), temp.resolve("source"));
    bind(own("/link"), "/mnt", "");
    assertThat(run().exits(1).err()).contains("ENOENT").doesNotContain("content");
  }

  @Test
  void whatIsInsideProcIsRefusedByThatPathToo() throws IOException {
    RUNTIME.assumeRecent("destinations by the host's path");
    config.mount("{destination:'%s',type:'tmpfs',source:'tmpfs'}".formatted(own("/proc/sys")));
    assertThat(run().exits(1).err()).contains("inside /proc");
  }
}

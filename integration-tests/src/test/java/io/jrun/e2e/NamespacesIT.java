package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// New namespaces, joined ones, and the host's.
class NamespacesIT extends EndToEnd {

  private static String inode(String pid, String namespace) throws IOException {
    return Files.readSymbolicLink(Path.of("/proc", pid, "ns", namespace)).toString();
  }

  @ParameterizedTest
  @ValueSource(strings = {"pid", "net", "ipc", "uts", "mnt"})
  void eachIsNew(String namespace) throws IOException {
    assertThat(runSh("readlink /proc/self/ns/" + namespace).succeeds().text())
        .startsWith(namespace + ":[")
        .isNotEqualTo(inode("self", namespace));
  }

  @ParameterizedTest
  @ValueSource(strings = {"user", "cgroup", "time"})
  void whatTheConfigDoesNotNameIsTheHosts(String namespace) throws IOException {
    config.namespaces("pid", "network", "ipc", "uts", "mount");
    assertThat(runSh("readlink /proc/self/ns/" + namespace).succeeds().text())
        .isEqualTo(inode("self", namespace));
  }

  @Test
  void neitherAreTheOthers() throws IOException {
    config.namespaces("mount").remove("", "hostname");
    config.set(
        "/mounts/5", "{destination:'/sys',type:'bind',source:'/sys',options:['rbind','ro']}");
    for (String namespace : List.of("pid", "net", "ipc", "uts"))
      assertThat(runSh("readlink /proc/self/ns/" + namespace).succeeds().text())
          .isEqualTo(inode("self", namespace));
  }

  @Test
  void aCgroupNamespaceHidesTheHostsPath() throws IOException {
    config.namespaces("pid", "network", "ipc", "uts", "mount", "cgroup");
    assertThat(runSh("cat /proc/self/cgroup").succeeds().lines())
        .allMatch(line -> line.endsWith(":/"));
  }

  @Test
  void theHostsNetworkWithoutANetworkNamespace() throws IOException {
    config.namespaces("pid", "ipc", "uts", "mount").remove("/linux", "readonlyPaths");
    config.set(
        "/mounts/5", "{destination:'/sys',type:'bind',source:'/sys',options:['rbind','ro']}");
    assertThat(runSh("readlink /proc/self/ns/net").succeeds().text())
        .isEqualTo(inode("self", "net"));
  }

  @ParameterizedTest
  @CsvSource({"network,net", "ipc,ipc", "uts,uts", "pid,pid", "cgroup,cgroup"})
  void aNamespaceIsJoinedByPath(String type, String link) throws IOException {
    if (type.equals("cgroup")) config.namespaces("pid", "network", "ipc", "uts", "mount", "cgroup");
    String first = String.valueOf(startSleeper());
    assertThat(inode(first, link)).isNotEqualTo(inode("self", link));
    String firstId = id;
    id = newId();
    config
        .namespaces(
            java.util.stream.Stream.of("pid", "network", "ipc", "uts", "mount")
                .filter(t -> !t.equals(type))
                .toArray(String[]::new))
        .set(
            "/linux/namespaces/-", "{type:'%s',path:'/proc/%s/ns/%s'}".formatted(type, first, link))
        .remove("", "hostname");
    assertThat(runSh("readlink /proc/self/ns/" + link).succeeds().text())
        .isEqualTo(inode(first, link));
    runtime("delete", "--force", firstId).succeeds();
  }

  /// One that sees the root file system where the caller does.
  @Test
  void aMountNamespaceIsJoinedByPath() throws Exception {
    Process other =
        new ProcessBuilder(
                "unshare", "--mount", "--propagation", "private", "sh", "-c", "echo; read end")
            .start();
    try (var ready = other.getInputStream()) {
      assertThat(ready.read()).isEqualTo('\n');
      String pid = String.valueOf(other.pid());
      config
          .namespaces("pid", "network", "ipc", "uts")
          .set("/linux/namespaces/-", "{type:'mount',path:'/proc/%s/ns/mnt'}".formatted(pid));
      assertThat(runSh("readlink /proc/self/ns/mnt").succeeds().text())
          .isEqualTo(inode(pid, "mnt"))
          .isNotEqualTo(inode("self", "mnt"));
    } finally {
      other.destroyForcibly().waitFor();
    }
  }

  @Test
  void loopbackIsUpInANewNetwork() throws IOException {
    assertThat(
            runSh(
                    "cat /sys/class/net/lo/flags; ping -c 1 -W 2 127.0.0.1 > /dev/null 2>&1; ls /sys/class/net")
                .lines()
                .getFirst())
        .isEqualTo("0x9");
  }

  @Test
  void aPathToANamespaceOfAnotherTypeIsAnError() throws IOException {
    config
        .namespaces("pid", "mount")
        .set("/linux/namespaces/-", "{type:'ipc',path:'/proc/self/ns/uts'}")
        .remove("", "hostname");
    assertThat(run().fails().err()).contains("ipc");
  }

  @Test
  void aMissingNamespacePathIsNamed() throws IOException {
    config
        .namespaces("pid", "mount")
        .set("/linux/namespaces/-", "{type:'network',path:'/proc/self/none'}")
        .remove("", "hostname");
    assertThat(run().exits(1).err()).contains("/proc/self/none");
  }
}

package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/// A network namespace is new for every container: what made it ready beforehand is not to be seen.
class NewNetworkIT extends EndToEnd {
  private static final int MANY = 50;

  private static String network(String process) throws IOException {
    return Files.readSymbolicLink(Path.of("/proc", process, "ns/net")).toString();
  }

  @Test
  void oneAfterAnotherIsEmptyAndNobodyElses() throws IOException {
    Set<String> seen = new HashSet<>(Set.of(network("self")));
    // some kernels give each namespace devices of their own for tunnels
    List<String> ofANewOne =
        Command.of(
                "unshare",
                "-nm",
                "sh",
                "-c",
                "ip link set lo up; mount -t sysfs sysfs /sys; ls /sys/class/net;"
                    + " cat /sys/class/net/lo/flags; wc -l < /proc/net/dev")
            .run()
            .succeeds()
            .lines();
    List<String> names = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      id = newId();
      names.add(id);
      seen.add(network(String.valueOf(startSleeper())));
      assertThat(
              runtime(
                      "exec",
                      id,
                      "sh",
                      "-c",
                      "ls /sys/class/net; cat /sys/class/net/lo/flags; wc -l < /proc/net/dev")
                  .succeeds()
                  .lines())
          .isEqualTo(ofANewOne);
    }
    assertThat(seen).hasSize(5);
    for (String name : names) runtime("delete", "--force", name).succeeds();
  }

  @Test
  void ofManyAtOnceAllDiffer() throws IOException {
    List<Command.Running> creates = new ArrayList<>();
    for (int i = 0; i < MANY; i++) {
      id = newId();
      creates.add(onBundle("create").start());
    }
    for (Command.Running create : creates) create.finish().succeeds();
    Set<String> seen = new HashSet<>(Set.of(network("self")));
    for (JsonNode container : Config.json(runtime("list", "--format", "json").succeeds().out()))
      seen.add(network(container.get("pid").asString()));
    assertThat(seen).hasSize(MANY + 1);
  }

  @Test
  void aSettingOfOneIsNotTheNexts() throws IOException {
    config.set(
        "/linux/sysctl", "{'net.ipv4.ip_default_ttl':'99','net.ipv4.conf.all.log_martians':'1'}");
    String script =
        "cat /proc/sys/net/ipv4/ip_default_ttl /proc/sys/net/ipv4/conf/all/log_martians";
    assertThat(runSh(script).succeeds().lines()).containsExactly("99", "1");
    config.remove("/linux", "sysctl");
    assertThat(runSh(script).succeeds().lines()).containsExactly("64", "0");
  }

  @Test
  void itHasTheMachinesSettingsOfTheMoment() throws IOException {
    Path setting = Path.of("/proc/sys/net/ipv4/conf/default/log_martians");
    String before = Files.readString(setting).strip();
    run().succeeds();
    Files.writeString(setting, before.equals("0") ? "1" : "0");
    try {
      String made =
          Command.of("unshare", "--net", "cat", setting.toString()).run().succeeds().text();
      assertThat(runSh("cat " + setting).succeeds().text()).isEqualTo(made);
    } finally {
      Files.writeString(setting, before);
    }
  }

  @Test
  void theProgramHasNoDescriptorOfIt() throws IOException {
    assertThat(runSh("ls -l /proc/self/fd").succeeds().out()).doesNotContain("net:[");
  }

  /// Also after a container that wanted none, for which one may have been made in vain.
  @JrunOnly
  @Test
  void theEngineKeepsNone() throws IOException {
    run().succeeds();
    config.namespaces("pid", "ipc", "uts", "mount").remove("/linux", "readonlyPaths");
    config.set(
        "/mounts/5", "{destination:'/sys',type:'bind',source:'/sys',options:['rbind','ro']}");
    assertThat(runSh("readlink /proc/self/ns/net").succeeds().text()).isEqualTo(network("self"));
    String engine = String.valueOf(enginePid());
    assertThat(eventually(() -> links(engine, "fd", "").noneMatch(link -> link.startsWith("net:"))))
        .as("no descriptor of a network namespace is open")
        .isTrue();
    assertThat(eventually(() -> links(engine, "task", "ns/net").distinct().count() == 1))
        .as("all threads are in one network namespace")
        .isTrue();
  }

  private static Stream<String> links(String process, String directory, String below) {
    List<String> links = new ArrayList<>();
    try (Stream<Path> all = Files.list(Path.of("/proc", process, directory))) {
      for (Path one : all.toList()) {
        try {
          links.add(Files.readSymbolicLink(one.resolve(below)).toString());
        } catch (IOException e) {
          // it has ended meanwhile
        }
      }
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return links.stream();
  }
}

package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// `linux.sysctl`.
class SysctlIT extends EndToEnd {

  @Test
  void valuesOfTheContainersNamespaces() throws IOException {
    config.set(
        "/linux/sysctl",
        "{'net.ipv4.ip_forward':'1','kernel.msgmax':'4321','fs.mqueue.msg_max':'12'}");
    assertThat(
            runSh("cd /proc/sys; cat net/ipv4/ip_forward kernel/msgmax fs/mqueue/msg_max")
                .succeeds()
                .lines())
        .containsExactly("1", "4321", "12");
  }

  @ParameterizedTest
  @ValueSource(strings = {"kernel.sysrq", "vm.swappiness", "kernel.hostname"})
  void valuesOfTheHostAreRefused(String name) throws IOException {
    config.set("/linux/sysctl", "{'%s':'1'}".formatted(name));
    assertThat(run().failsInOneLine(name).err()).contains("sysctl");
  }

  @Test
  void aNetworkValueNeedsANetworkNamespace() throws IOException {
    config
        .namespaces("pid", "ipc", "uts", "mount")
        .set("/linux/sysctl", "{'net.ipv4.ip_forward':'1'}");
    run().failsInOneLine("net.ipv4.ip_forward");
  }

  /// The caller's own namespace has the host's values, under whatever path.
  @ParameterizedTest
  @CsvSource({
    "network, net, net.ipv4.ip_forward",
    "ipc, ipc, kernel.msgmax",
    "uts, uts, kernel.domainname"
  })
  void aNamespaceThatIsJoinedMustNotBeTheHosts(String type, String file, String name)
      throws IOException {
    assumeTrue(RUNTIME.isJrun() || type.equals("network"), "runc checks network namespaces only");
    String others =
        Stream.of("pid", "network", "ipc", "uts", "mount")
            .filter(other -> !other.equals(type))
            .map(other -> "{'type':'" + other + "'},")
            .collect(Collectors.joining());
    config
        .remove("", "hostname")
        .set(
            "/linux/namespaces",
            "[" + others + "{'type':'" + type + "','path':'/proc/self/ns/" + file + "'}]")
        .set("/linux/sysctl", "{'" + name + "':'1'}");
    assertThat(run().failsInOneLine(name).err()).contains("host");
  }

  /// `net/../kernel/…` seems to be of the network namespace.
  @Test
  void aNameThatGoesUpIsRefused() throws IOException {
    String now = Files.readString(Path.of("/proc/sys/kernel/panic")).strip();
    config.set("/linux/sysctl", "{'net/../kernel/panic':'" + now + "'}");
    run().failsInOneLine(RUNTIME.isJrun() ? "net/../kernel/panic" : "kernel/panic");
  }

  @Test
  void slashesSeparateTheParts() throws IOException {
    config.set("/linux/sysctl", "{'net/ipv4/conf/lo/forwarding':'1'}");
    assertThat(runSh("cat /proc/sys/net/ipv4/conf/lo/forwarding").succeeds().lines())
        .containsExactly("1");
  }

  /// runc allows them from 1.5 on.
  @JrunOnly
  @Test
  void valuesOfAUserNamespace() throws IOException {
    config
        .namespaces("pid", "network", "ipc", "uts", "mount", "user")
        .set("/linux/uidMappings", "[{'containerID':0,'hostID':0,'size':1000}]")
        .set("/linux/gidMappings", "[{'containerID':0,'hostID':0,'size':1000}]")
        .set("/linux/sysctl", "{'user.max_net_namespaces':'7'}");
    assertThat(runSh("cat /proc/sys/user/max_net_namespaces").succeeds().lines())
        .containsExactly("7");
  }
}

package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
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
}

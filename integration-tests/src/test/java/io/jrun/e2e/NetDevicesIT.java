package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// linux.netDevices; the host is a network namespace that unshare(1) makes, with a veth pair in it.
class NetDevicesIT extends EndToEnd {
  @BeforeEach
  void onlyWhereTheyAreKnown() {
    RUNTIME.assumeRecent("netDevices");
  }

  /// Runs the container in a namespace with devices e2e0 and e2e1, and then shows what is left
  /// there.
  private Outcome inNamespace() throws IOException {
    List<String> words =
        new ArrayList<>(
            List.of(
                "unshare",
                "--net",
                "sh",
                "-c",
                "ip link add e2e0 type veth peer name e2e1 && ip addr add 192.0.2.7/24 dev e2e0"
                    + " && ip addr add 2001:db8::7/64 dev e2e0 nodad && ip link set e2e0 up"
                    + " && \"$@\"; status=$?; echo left:; ls /sys/class/net > /dev/null;"
                    + " ip -o link | grep -c e2e; ip -o link show e2e0 2> /dev/null; exit $status",
                "sh"));
    words.addAll(onBundle("run").words());
    return Command.of(words).run();
  }

  @Test
  void aDeviceMovesWithItsNameAndAddresses() throws IOException {
    config
        .set("/linux/netDevices", "{e2e0:{name:'eth7'}}")
        .sh("ip -o addr show eth7; ip -o link show eth7");
    Outcome outcome = inNamespace().succeeds();
    assertThat(outcome.out())
        .contains("192.0.2.7/24")
        .contains("2001:db8::7/64")
        .containsPattern("eth7.*[<,]UP[,>]");
    // the pair's other end went with the container's namespace, or is about to
    assertThat(outcome.out()).containsPattern("left:\n[01]\n");
  }

  @Test
  void aDeviceKeepsItsNameWhereNoneIsGiven() throws IOException {
    config.set("/linux/netDevices", "{e2e1:{}}").sh("ip -o link show e2e1");
    assertThat(inNamespace().succeeds().out()).contains("e2e1");
  }

  @Test
  @JrunOnly // runc looks for a device named eth%d
  void aTemplateLetsTheKernelChooseAName() throws IOException {
    config
        .set("/linux/netDevices", "{e2e0:{name:'eth%d'},e2e1:{name:'eth%d'}}")
        .sh("ip -o addr show; ip -o link show");
    String seen = inNamespace().succeeds().out();
    assertThat(seen).contains("192.0.2.7/24").contains("2001:db8::7/64");
    assertThat(seen)
        .containsPattern("eth0[@:].*[<,]UP[,>]")
        .containsPattern("eth1[@:].*[<,]UP[,>]");
    assertThat(seen).doesNotContain("e2e");
  }

  @Test
  void aNameThatIsTakenIsAnErrorAndTheDeviceIsAsItWas() throws IOException {
    config.set("/linux/netDevices", "{e2e0:{name:'lo'}}");
    Outcome outcome = inNamespace().fails();
    assertThat(outcome.err()).contains("e2e0");
    if (!RUNTIME.isJrun()) return; // runc loses it
    assertThat(outcome.err()).contains("has a lo already");
    assertThat(outcome.out()).contains("left:\n2").containsPattern("e2e0.*[<,]UP[,>]");
  }

  @Test
  void aMissingDeviceIsNamed() throws IOException {
    config.set("/linux/netDevices", "{nosuch0:{}}");
    assertThat(inNamespace().fails().err()).contains("nosuch0");
  }
}

package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/// Pods on a node whose network is SimpleCNI.
class CriSimpleCniIT extends CriTest {
  @Override
  String network() {
    return SIMPLECNI;
  }

  @Test
  void podsReachEachOtherAndGiveTheirAddressesBack() {
    Pod server = run(podConfig());
    Pod client = run(podConfig());
    assertThat(server.ip()).startsWith("10.88.0.").isNotEqualTo(client.ip());
    server.start("server", "sh", "-c", "while :; do echo reached | nc -l -p 8080; done");
    Container caller = client.start("caller", "sleep", "1000");
    assertThat(
            EndToEnd.eventually(() ->
                caller
                    .exec("sh", "-c", "nc -w 2 " + server.ip() + " 8080 </dev/null")
                    .text()
                    .equals("reached")))
        .isTrue();
    removePod(server.id);
    removePod(client.id);
    assertThat(containerd.inside("ip", "-o", "link", "show", "master", "cri0").run().out())
        .as("ports of the bridge")
        .isEmpty();
  }
}

package io.jrun.runtime.container;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrun.specs.cni.Dns;
import io.jrun.specs.json.Json;
import java.util.List;
import org.junit.jupiter.api.Test;

class HostNamesTest {
  private static final String RESOLVED = "nameserver 10.0.0.1\nsearch example\n";

  private static String resolvConf(Dns dns, String host, String upstream) {
    return new HostNames("h", List.of(), dns).resolvConf(host, () -> upstream);
  }

  private static Dns dns(List<String> servers, List<String> search) {
    return new Dns(servers, null, search, List.of(), Json.JsonObject.EMPTY);
  }

  @Test
  void whatTheNetworksSayComesBeforeTheHosts() {
    assertThat(resolvConf(dns(List.of("10.1.1.1", "fd00::1"), List.of("a", "b")), RESOLVED, ""))
        .isEqualTo("search a b\nnameserver 10.1.1.1\nnameserver fd00::1\n");
    assertThat(resolvConf(dns(List.of(), List.of("a")), RESOLVED, ""))
        .isEqualTo("search a\nnameserver 10.0.0.1\n");
  }

  @Test
  void serversOnTheHostsLoopbackAreLeftOut() {
    String host = "# by hand\nnameserver 127.0.0.53\n nameserver ::1\nsearch here\n";
    assertThat(resolvConf(Dns.NONE, host, "")).isEqualTo("# by hand\nsearch here\n");
    assertThat(resolvConf(Dns.NONE, host, RESOLVED)).isEqualTo(RESOLVED);
    assertThat(resolvConf(Dns.NONE, host + "nameserver 10.2.2.2\n", RESOLVED))
        .isEqualTo("# by hand\nsearch here\nnameserver 10.2.2.2\n");
  }

  @Test
  void everyAddressHasTheHostsName() {
    HostNames names = new HostNames("box", List.of("10.0.0.2", "fd00::2"), Dns.NONE);
    assertThat(names.hosts()).contains("127.0.0.1\tlocalhost\n", "10.0.0.2\tbox\nfd00::2\tbox\n");
    assertThat(new HostNames(null, List.of("10.0.0.2"), Dns.NONE).hosts())
        .doesNotContain("10.0.0.2");
  }
}

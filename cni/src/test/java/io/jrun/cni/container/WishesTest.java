package io.jrun.cni.container;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrun.specs.cni.CniResult;
import io.jrun.specs.cni.CniVersion;
import io.jrun.specs.json.Json;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class WishesTest {
  private static CniResult result(String json) {
    return CniResult.read("result", json.getBytes(StandardCharsets.UTF_8), CniVersion.V1_0_0);
  }

  @Test
  void publishedPortsBecomeCapabilityArguments() {
    List<PublishedPort> ports =
        List.of(
            PublishedPort.parse("8080:80"),
            PublishedPort.parse("127.0.0.1:53:5353/udp"),
            PublishedPort.parse("[::1]:1:2/sctp"));
    assertThat(PublishedPort.capabilityArgs(ports))
        .isEqualTo(
            Json.parse(
                """
                {"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"tcp"},
                  {"hostPort":53,"containerPort":5353,"protocol":"udp","hostIP":"127.0.0.1"},
                  {"hostPort":1,"containerPort":2,"protocol":"sctp","hostIP":"::1"}]}\
                """));
    assertThat(PublishedPort.capabilityArgs(List.of()).isEmpty()).isTrue();
    for (String bad :
        new String[] {"", "80", "0:80", "80:99999", "a:80:80", "80:80/icmp", ":80:80"}) {
      assertThatThrownBy(() -> PublishedPort.parse(bad))
          .as(bad)
          .hasMessageStartingWith("invalid published port \"" + bad + "\"");
    }
  }

  @Test
  void nameServersOfAllNetworksAreJoined() {
    List<CniResult> results =
        List.of(
            result(
                "{\"dns\":{\"nameservers\":[\"10.0.0.1\"],\"domain\":\"a.b\",\"search\":[\"c.d\"]}}"),
            result(
                "{\"dns\":{\"nameservers\":[\"10.0.0.1\",\"10.0.0.2\"],\"options\":[\"ndots:5\"]}}"));
    assertThat(DnsFiles.resolvConf(results))
        .contains("search a.b c.d\nnameserver 10.0.0.1\nnameserver 10.0.0.2\noptions ndots:5\n");
    assertThat(DnsFiles.resolvConf(List.of(result("{\"dns\":{\"search\":[\"x\"]}}")))).isEmpty();
  }

  @Test
  void theContainersNameHasItsAddresses() {
    assertThat(DnsFiles.hosts("web", List.of(result("{\"ips\":[{\"address\":\"10.1.0.2/24\"}]}"))))
        .endsWith("10.1.0.2\tweb\n")
        .startsWith("127.0.0.1\tlocalhost\n");
  }
}

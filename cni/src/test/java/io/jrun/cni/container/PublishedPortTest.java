package io.jrun.cni.container;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrun.specs.json.Json;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PublishedPortTest {
  @ParameterizedTest
  @CsvSource({
    "8080:80,8080:81,true",
    "8080:80,8081:80,false",
    "8080:80,8080:80/udp,false",
    "127.0.0.1:8080:80,8080:80,true",
    "127.0.0.1:8080:80,127.0.0.2:8080:80,false",
    "127.0.0.1:8080:80,0.0.0.0:8080:80,true",
    "[::]:8080:80,0.0.0.0:8080:80,false",
    "[::1]:8080:80,[0::1]:8080:80,true",
    "[::]:8080:80,8080:80,true",
  })
  void portsOfOneHost(String one, String other, boolean isOn) {
    PublishedPort first = PublishedPort.parse(one);
    PublishedPort second = PublishedPort.parse(other);
    assertThat(first.isOnHostOf(second)).isEqualTo(isOn);
    assertThat(second.isOnHostOf(first)).isEqualTo(isOn);
  }

  @ParameterizedTest
  @ValueSource(strings = {"8080:80 8080:81", "1:1 8080:80 2:2 8080:80", "[::1]:8080:80 8080:90"})
  void onePortOfTheHostLeadsToOneOfAContainer(String texts) {
    assertThatThrownBy(() -> PublishedPort.parseAll(List.of(texts.split(" "))))
        .hasMessageStartingWith("port 8080/tcp of the host is published twice: to 80 and to ");
  }

  @Test
  void severalPortsOfTheHostMayLeadToOneOfAContainer() {
    assertThat(PublishedPort.parseAll(List.of("1:80", "2:80", "1:80/udp"))).hasSize(3);
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
}

package io.jrun.cni.etcd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrun.specs.json.JsonReader;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class EtcdConfigTest {
  private static EtcdConfig read(String json) {
    return JsonReader.read("etcd", json.getBytes(StandardCharsets.UTF_8), EtcdConfig::read);
  }

  @Test
  void endpointsSuffice() {
    EtcdConfig config =
        read("{\"endpoints\":[\"http://10.0.0.1:2379\",\"http://[fd00::1]:2379\"]}");
    assertThat(config.prefix()).isEqualTo("/jrun/cni");
    assertThat(config.leaseSeconds()).isEqualTo(86_400);
    assertThat(config.timeoutMillis()).isEqualTo(3000);
  }

  @Test
  void whatDoesNotGoTogetherIsTold() {
    assertThatThrownBy(() ->
            read(
                """
                {"endpoints":["http://a:1","https://b:1","c:1"],"prefix":"x/","certFile":"/dev/null",
                 "username":"u","caFile":"here.pem","leaseSeconds":1,"timeoutMillis":-1}\
                """))
        .message()
        .contains("/endpoints: must all be http or all be https")
        .contains("/endpoints: must be http://HOST:PORT or https://HOST:PORT, not c:1")
        .contains("/prefix: must begin with a slash")
        .contains("/keyFile: and certFile need each other")
        .contains("/passwordFile: and username need each other")
        .contains("/caFile: must be an absolute path")
        .contains("/leaseSeconds: must be from 2")
        .contains("/timeoutMillis: must be from 1");
    assertThatThrownBy(() -> read("{}")).hasMessageContaining("/endpoints: is required");
  }
}

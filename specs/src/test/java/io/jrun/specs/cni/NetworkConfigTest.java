package io.jrun.specs.cni;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrun.specs.json.Json;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class NetworkConfigTest {
  private static NetworkConfig list(String json) {
    return NetworkConfig.readList("a.conflist", json.getBytes(StandardCharsets.UTF_8));
  }

  private static NetworkConfig single(String json) {
    return NetworkConfig.readSingle("a.conf", json.getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void theHighestKnownVersionIsUsed() {
    assertThat(list("{\"name\":\"a\",\"plugins\":[]}").version()).isEqualTo(CniVersion.V0_1_0);
    assertThat(
            list("{\"name\":\"a\",\"cniVersion\":\"0.4.0\",\"cniVersions\":[\"1.0.0\",\"1.9.0\"]}")
                .version())
        .isEqualTo(CniVersion.V1_0_0);
    assertThatThrownBy(() -> list("{\"name\":\"a\",\"cniVersion\":\"9.0.0\"}"))
        .hasMessageContaining("/cniVersion: no known version among 9.0.0");
    assertThatThrownBy(() -> list("{\"name\":\"a\",\"cniVersion\":\"x\"}"))
        .hasMessageContaining("invalid version \"x\"");
  }

  @Test
  void flagsMayBeStrings() {
    NetworkConfig config =
        list(
            "{\"name\":\"a\",\"disableCheck\":\"true\",\"disableGC\":true,\"plugins\":[{\"type\":\"x\"}]}");
    assertThat(config.disableCheck()).isTrue();
    assertThat(config.disableGc()).isTrue();
    assertThat(config.loadOnlyInlinedPlugins()).isFalse();
    assertThatThrownBy(() -> list("{\"name\":\"a\",\"disableCheck\":\"yes\"}"))
        .hasMessageContaining("/disableCheck: must be true or false, not \"yes\"");
  }

  @Test
  void aSinglePluginBecomesAListOfOne() {
    String json =
        "{\"cniVersion\":\"0.4.0\",\"name\":\"n\",\"type\":\"ptp\",\"ipam\":{\"type\":\"host-local\"}}";
    NetworkConfig config = single(json);
    assertThat(config.name()).isEqualTo("n");
    assertThat(config.plugins().getFirst().ipamType()).isEqualTo("host-local");
    assertThat(Json.parse(config.source()))
        .isEqualTo(
            Json.parse("{\"name\":\"n\",\"cniVersion\":\"0.4.0\",\"plugins\":[" + json + "]}"));
    assertThatThrownBy(() -> single("{\"name\":\"n\"}")).hasMessageContaining("/type: is required");
    assertThatThrownBy(() -> single("[]")).hasMessage("a.conf: must be an object");
  }

  @Test
  void onlyTrueCapabilitiesCount() {
    NetworkConfig config =
        list(
            "{\"name\":\"a\",\"plugins\":[{\"type\":\"x\",\"capabilities\":{\"a\":true,\"b\":false}}]}");
    assertThat(config.plugins().getFirst().capabilities()).containsExactly("a");
  }

  @Test
  void namesAreThoseOfTheSpecification() {
    assertThatThrownBy(() -> list("{\"name\":\"../a\",\"plugins\":[]}"))
        .hasMessageContaining("/name: invalid network name \"../a\"");
    assertThat(CniNames.isName("a.b-c_D9")).isTrue();
    assertThat(CniNames.isName("-a")).isFalse();
    assertThat(CniNames.isName("")).isFalse();
    assertThat(CniNames.isInterface("eth0")).isTrue();
    for (String bad : new String[] {"", ".", "..", "a/b", "a:b", "a b", "sixteen-letters-"}) {
      assertThat(CniNames.isInterface(bad)).as(bad).isFalse();
    }
  }

  @Test
  void versionsCompareByNumber() {
    CniVersion ten = CniVersion.parse("0.10.0").orElseThrow();
    assertThat(ten.atLeast(CniVersion.V0_4_0)).isTrue();
    assertThat(ten.isKnown()).isFalse();
    assertThat(CniVersion.parse("1.0")).contains(CniVersion.V1_0_0);
    assertThat(CniVersion.parse("1.x.0")).isEmpty();
    assertThat(CniVersion.parse("99999999.0.0")).isEmpty();
  }
}

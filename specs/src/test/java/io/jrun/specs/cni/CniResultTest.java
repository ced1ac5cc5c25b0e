package io.jrun.specs.cni;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.SpecException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class CniResultTest {
  private static final String NEWEST =
      """
      {"cniVersion":"1.1.0",
       "interfaces":[{"name":"br0","mac":"00:11:22:33:44:55","mtu":1400},
                     {"name":"eth0","sandbox":"/run/netns/a","pciID":"0000:01"}],
       "ips":[{"interface":1,"address":"10.1.0.2/24","gateway":"10.1.0.1"},
              {"address":"fd00::2/64"},{"address":"10.1.0.3/24"}],
       "routes":[{"dst":"0.0.0.0/0","gw":"10.1.0.1","priority":7,"scope":0},{"dst":"::/0"}],
       "dns":{"nameservers":["10.1.0.1"],"search":["a.b"]},"own":{"x":1}}
      """;

  private static CniResult read(String json, CniVersion configured) {
    return CniResult.read("result", json.getBytes(StandardCharsets.UTF_8), configured);
  }

  @Test
  void theNewestFormSurvivesARoundTrip() {
    CniResult result = read(NEWEST, CniVersion.V0_4_0);
    assertThat(Json.parse(result.toJson(CniVersion.V1_1_0).toText())).isEqualTo(Json.parse(NEWEST));
  }

  @Test
  void olderFormsLackWhatTheyCannotSay() {
    CniResult result = read(NEWEST, CniVersion.V1_1_0);
    String one = result.toJson(CniVersion.V1_0_0).toText();
    assertThat(one).doesNotContain("mtu", "pciID", "priority", "\"version\"");
    String four = result.toJson(CniVersion.V0_4_0).toText();
    assertThat(four)
        .contains("{\"version\":\"4\",\"interface\":1,\"address\":\"10.1.0.2/24\"")
        .contains("{\"version\":\"6\",\"address\":\"fd00::2/64\"}")
        .contains("\"cniVersion\":\"0.4.0\"");
  }

  @Test
  void theOldestFormKeepsTheFirstAddressOfEachFamily() {
    Json.JsonObject pair = read(NEWEST, CniVersion.V1_1_0).toJson(CniVersion.V0_2_0);
    assertThat(pair.member("ip4"))
        .isEqualTo(
            Json.parse(
                """
                {"ip":"10.1.0.2/24","gateway":"10.1.0.1",
                 "routes":[{"dst":"0.0.0.0/0","gw":"10.1.0.1"}]}\
                """));
    assertThat(pair.member("ip6"))
        .isEqualTo(Json.parse("{\"ip\":\"fd00::2/64\",\"routes\":[{\"dst\":\"::/0\"}]}"));
  }

  @Test
  void aRouteOfTheOldestFormGetsItsFamilysGateway() {
    CniResult result =
        read(
            "{\"ip4\":{\"ip\":\"10.1.0.2/24\",\"gateway\":\"10.1.0.1\",\"routes\":[{\"dst\":\"0.0.0.0/0\"}]}}",
            CniVersion.V0_2_0);
    assertThat(result.routes()).containsExactly(new Route("0.0.0.0/0", "10.1.0.1"));
    assertThat(result.ips()).containsExactly(new IpConfig("10.1.0.2/24", "10.1.0.1", null));
  }

  @Test
  void aResultWithoutVersionHasThatOfItsConfiguration() {
    String ips = "{\"ips\":[{\"version\":\"4\",\"address\":\"10.0.0.1/8\"}]}";
    assertThat(read(ips, CniVersion.V0_4_0).ips()).hasSize(1);
    assertThat(read(ips, CniVersion.V0_2_0).ips()).isEmpty();
  }

  @Test
  void everyProblemIsToldWithItsPlace() {
    assertThatThrownBy(() -> read("{\"ips\":[{\"gateway\":1}],\"routes\":[{}]}", CniVersion.V1_0_0))
        .isInstanceOf(SpecException.class)
        .hasMessageContaining("/ips/0/address: is required")
        .hasMessageContaining("/ips/0/gateway: must be a string")
        .hasMessageContaining("/routes/0/dst: is required");
    assertThatThrownBy(() -> read("{\"cniVersion\":\"7.0.0\"}", CniVersion.V1_0_0))
        .hasMessageContaining("/cniVersion: unknown version \"7.0.0\"");
  }

  @Test
  void damagedDocumentsAreRefusedAndNothingElse() {
    long seed = 20261;
    Random random = new Random(seed);
    byte[] good = NEWEST.getBytes(StandardCharsets.UTF_8);
    for (int i = 0; i < 3000; i++) {
      byte[] bad = Arrays.copyOf(good, random.nextInt(good.length + 1));
      for (int n = random.nextInt(4); n > 0 && bad.length > 0; n--) {
        bad[random.nextInt(bad.length)] = (byte) (32 + random.nextInt(96));
      }
      try {
        CniResult result = CniResult.read("result", bad, CniVersion.V1_1_0);
        for (CniVersion version : CniVersion.ALL) {
          CniResult again = read(result.toJson(version).toText(), CniVersion.V1_1_0);
          assertThat(again.ips().size()).isLessThanOrEqualTo(result.ips().size());
        }
      } catch (SpecException e) {
        assertThat(e).as("seed %d, round %d", seed, i).hasMessageStartingWith("result: ");
      }
    }
  }
}

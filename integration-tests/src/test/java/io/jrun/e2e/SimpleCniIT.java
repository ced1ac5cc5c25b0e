package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/// The plugin's executable, beyond what the conformance script asks of any plugin.
@JrunOnly
class SimpleCniIT {
  @SuppressWarnings("NullAway.Init")
  private CniNode node;

  @BeforeAll
  static void asRoot() throws IOException {
    Machine.assumeRoot();
  }

  @BeforeEach
  void makeNode() throws IOException {
    node = new CniNode("scni-" + UUID.randomUUID().toString().substring(0, 8));
  }

  @AfterEach
  void removeNode() throws IOException {
    node.close();
  }

  private static String config(String members) {
    return "{\"cniVersion\":\"1.1.0\",\"name\":\"net\",\"type\":\"simplecni\",\"bridge\":\"sc0\","
        + members
        + "}";
  }

  private static String own(String members) {
    return config("\"ipam\":{\"dataDir\":\"@DIR@/leases\"," + members + "}");
  }

  private JsonNode add(String id, String netns, String config) {
    return Config.json(node.plugin("ADD", id, netns, config).run().succeeds().out());
  }

  private JsonNode error(Outcome outcome) {
    return Config.json(outcome.exits(1).out());
  }

  private String ip(String netns, String... words) {
    List<String> all = new ArrayList<>(List.of("ip"));
    all.addAll(List.of(words));
    return CniNode.in(netns, all.toArray(String[]::new)).run().succeeds().out();
  }

  private static Outcome conformance(String plugin, String config, String... more) {
    Path repository = RuntimeBinary.underTest().path().resolve("../../../..").normalize();
    List<String> words =
        new ArrayList<>(
            List.of(
                "python3",
                repository.resolve("scripts/cni-conformance.py").toString(),
                "--plugin",
                plugin,
                "--path",
                RuntimeBinary.underTest().path().resolveSibling("") + ":" + CniNode.REFERENCE,
                "--config",
                repository
                    .resolve("integration-tests/src/test/resources/cni/" + config)
                    .toString()));
    words.addAll(List.of(more));
    return Command.of(words).run();
  }

  @Test
  void thePluginConforms() {
    assertThat(conformance("simplecni", "simplecni.json").succeeds().out())
        .doesNotContain("FAILED")
        .doesNotContain("skipped");
  }

  @Test
  void thePluginConformsWithAddressesOfHostLocal() {
    assumeTrue(Files.exists(CniNode.REFERENCE.resolve("host-local")), "no host-local");
    assertThat(conformance("simplecni", "simplecni-host-local.json").succeeds().out())
        .doesNotContain("FAILED");
  }

  @Test
  void theReferenceConformsWhichShowsThatTheScriptIsRight() {
    assumeTrue(Files.exists(CniNode.REFERENCE.resolve("bridge")), "no reference bridge");
    assertThat(conformance("bridge", "bridge.json").succeeds().out()).doesNotContain("FAILED");
  }

  @Test
  void theShortConfigurationAndTheNodesFileGiveANetwork() throws IOException {
    Path file = node.temp().resolve("ipam.config");
    Files.writeString(
        file,
        "{\"Subnet\":\"10.244.1.0\",\"SubnetPrefix\":\"10.244.1.\",\"Gateway\":\"10.244.1.1\",\"IPIndex\":\"1\"}");
    String config =
        "{\"cniVersion\":\"0.3.0\",\"name\":\"simplecni\",\"type\":\"simplecni\",\"bridge\":\"simplecni0\","
            + "\"subnet\":\"10.244.0.0/16\",\"nodeFile\":\""
            + file
            + "\",\"ipam\":{\"dataDir\":\"@DIR@/leases\"}}";
    String one = node.container("a");
    String two = node.container("b");
    assertThat(add("c1", one, config).at("/ips/0/address").asString()).isEqualTo("10.244.1.2/24");
    assertThat(add("c2", two, config).at("/ips/0/address").asString()).isEqualTo("10.244.1.3/24");
    assertThat(Files.readString(file)).contains("\"IPIndex\":\"3\"");
    CniNode.ping(one, 3, "10.244.1.3").run().succeeds();
    assertThat(ip(one, "route")).contains("default via 10.244.1.1");
    node.plugin("DEL", "c1", one, config).run().succeeds();
    node.plugin("DEL", "c2", two, config).run().succeeds();
    assertThat(add("c3", one, config).at("/ips/0/address").asString()).isEqualTo("10.244.1.4/24");
    node.plugin("DEL", "c3", one, config).run().succeeds();
    Files.writeString(
        file,
        "{\"Subnet\":\"10.9.1.0\",\"SubnetPrefix\":\"10.9.1.\",\"Gateway\":\"10.9.1.1\",\"IPIndex\":\"1\"}");
    assertThat(error(node.plugin("ADD", "c4", one, config).run()).get("msg").asString())
        .contains("10.9.1.0/24 is not of 10.244.0.0/16");
  }

  @Test
  void bothFamiliesRoutesMtuMacAndSysctls() {
    String config =
        config(
            "\"mtu\":1400,\"macFromIP\":true,\"hairpinMode\":true,\"promiscMode\":true,\"ipMasq\":true,"
                + "\"sysctl\":{\"net/ipv4/conf/IFNAME/arp_notify\":\"1\"},"
                + "\"ipam\":{\"dataDir\":\"@DIR@/leases\",\"ranges\":[[{\"subnet\":\"10.73.0.0/24\"}],"
                + "[{\"subnet\":\"fd00:73::/64\"}]],\"routes\":[{\"dst\":\"10.99.0.0/16\",\"mtu\":1300,\"priority\":7}],"
                + "\"dns\":{\"nameservers\":[\"10.73.0.1\"]}}");
    String netns = node.container("a");
    CniNode.in(netns, "sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6")
        .run()
        .succeeds();
    JsonNode result = add("c1", netns, config);
    assertThat(result.at("/ips/1/address").asString()).isEqualTo("fd00:73::2/64");
    assertThat(result.at("/dns/nameservers/0").asString()).isEqualTo("10.73.0.1");
    assertThat(result.at("/interfaces/2/mtu").asInt()).isEqualTo(1400);
    assertThat(ip(netns, "link", "show", "eth0")).contains("mtu 1400", "0a:58:0a:49:00:02");
    assertThat(ip(netns, "route"))
        .contains("10.99.0.0/16 via 10.73.0.1 dev eth0 metric 7 mtu 1300", "default via 10.73.0.1");
    assertThat(ip(netns, "-6", "route")).contains("default via fd00:73::1 dev eth0");
    CniNode.ping(netns, 3, "fd00:73::1").run().succeeds();
    assertThat(CniNode.in(netns, "cat", "/proc/sys/net/ipv4/conf/eth0/arp_notify").run().text())
        .isEqualTo("1");
    String veth = result.at("/interfaces/1/name").asString();
    assertThat(node.inside("ip", "-d", "link", "show", veth).run().out()).contains("hairpin on");
    assertThat(node.inside("ip", "-d", "link", "show", "sc0").run().out()).contains("PROMISC");
    assertThat(node.inside("nft", "list", "table", "inet", "simplecni").run().out())
        .contains("10.73.0.2 comment", "fd00:73::2 comment");
    node.plugin("DEL", "c1", netns, config).run().succeeds();
    assertThat(node.inside("nft", "list", "table", "inet", "simplecni").run().out())
        .doesNotContain("comment");
  }

  @Test
  void masqueradingHidesTheContainerFromOthersOnly() throws IOException {
    String outside = node.container("outside");
    node.inside(
            "ip", "link", "add", "up0", "type", "veth", "peer", "name", "eth0", "netns", outside)
        .run()
        .succeeds();
    node.inside("ip", "addr", "add", "192.168.44.1/24", "dev", "up0").run().succeeds();
    node.inside("ip", "link", "set", "up0", "up").run().succeeds();
    ip(outside, "addr", "add", "192.168.44.2/24", "dev", "eth0");
    ip(outside, "link", "set", "eth0", "up");
    String netns = node.container("a");
    String config =
        own("\"subnet\":\"10.74.0.0/24\"").replace("\"ipam\"", "\"ipMasq\":true,\"ipam\"");
    add("c1", netns, config);
    // no way back to 10.74: the answer comes only because the machine's address is the source
    CniNode.ping(netns, 3, "192.168.44.2").run().succeeds();
    node.inside("nft", "flush", "ruleset").run().succeeds();
    assertThat(CniNode.ping(netns, 1, "192.168.44.2").run().status()).isNotZero();
    String second = node.container("b");
    add("c2", second, config);
    CniNode.ping(second, 3, "192.168.44.2").run().succeeds();
    node.plugin("DEL", "c1", netns, config).run().succeeds();
    node.plugin("DEL", "c2", second, config).run().succeeds();
  }

  @Test
  void aHundredAddsOfSeveralProcessesGetAHundredAddresses() throws IOException {
    String config = own("\"subnet\":\"10.75.0.0/24\"");
    List<String> spaces = new ArrayList<>();
    for (int i = 0; i < 100; i++) spaces.add(node.container("n" + i));
    List<Command.Running> running = new ArrayList<>();
    for (int i = 0; i < spaces.size(); i++) {
      Command add = node.plugin("ADD", "c" + i, spaces.get(i), config);
      // some of them in JVMs of their own
      running.add((i % 20 == 7 ? add.with("JRUN_ENGINE", "off") : add).start());
    }
    Set<String> addresses = new TreeSet<>();
    for (Command.Running one : running) {
      addresses.add(Config.json(one.finish().succeeds().out()).at("/ips/0/address").asString());
    }
    assertThat(addresses).hasSize(100);
    for (int i = 0; i < spaces.size(); i++) {
      node.plugin("DEL", "c" + i, spaces.get(i), config).run().succeeds();
    }
    assertThat(node.links()).containsExactlyInAnyOrder("lo", "sc0");
  }

  @Test
  void aFailedAddLeavesNothing() {
    String netns = node.container("a");
    ip(netns, "link", "add", "eth0", "type", "bridge");
    String config = own("\"subnet\":\"10.76.0.0/29\"");
    for (int i = 0; i < 10; i++) {
      assertThat(error(node.plugin("ADD", "c" + i, netns, config).run()).get("msg").asString())
          .contains("container interface eth0 or its host end");
    }
    ip(netns, "link", "del", "eth0");
    String unreachable =
        config.replace(
            "\"ipam\":{",
            "\"ipam\":{\"routes\":[{\"dst\":\"10.0.0.0/8\",\"gw\":\"192.168.9.9\"}],");
    assertThat(error(node.plugin("ADD", "x", netns, unreachable).run()).get("msg").asString())
        .contains("RTM_NEWROUTE 10.0.0.0/8 via 192.168.9.9: ");
    assertThat(node.links()).containsExactlyInAnyOrder("lo", "sc0");
    assertThat(add("y", netns, config).at("/ips/0/address").asString()).startsWith("10.76.0.");
    node.plugin("DEL", "y", netns, config).run().succeeds();
  }

  @Test
  void leasesOutliveTheEngine() throws IOException {
    String config = own("\"subnet\":\"10.77.0.0/24\"");
    String one = node.container("a");
    String two = node.container("b");
    add("c1", one, config);
    node.inside(RuntimeBinary.underTest().path().toString(), "engine", "stop").run().succeeds();
    assertThat(add("c2", two, config).at("/ips/0/address").asString()).isEqualTo("10.77.0.3/24");
    node.plugin("DEL", "c1", one, config).run().succeeds();
    node.plugin("DEL", "c2", two, config).run().succeeds();
  }

  @Test
  void wrongConfigurationsTellEveryProblem() {
    String netns = node.container("a");
    JsonNode error =
        error(
            node.plugin(
                    "ADD",
                    "c1",
                    netns,
                    config(
                        "\"mtu\":10,\"vlan\":5000,\"mode\":\"magic\",\"sysctl\":{\"kernel.x\":\"1\"},\"ipam\":{\"subnet\":\"10.0.0/8\"}"))
                .run());
    assertThat(error.get("code").asInt()).isEqualTo(7);
    assertThat(error.get("msg").asString())
        .contains("/mtu: must be from 68 to 65535")
        .contains("/vlan: must be from 1 to 4094")
        .contains("/mode: unknown mode \"magic\"")
        .contains("/sysctl: not of the network: kernel.x")
        .contains("/ipam/subnet: must be an address with a prefix")
        .doesNotContain("is required");
    assertThat(
            error(
                    node.plugin("ADD", "c1", "/proc/self/ns/net", own("\"subnet\":\"10.1.0.0/24\""))
                        .run())
                .get("code")
                .asInt())
        .isEqualTo(8);
  }

  @Test
  void aBridgeThatIsNoneIsRefused() {
    String netns = node.container("a");
    node.inside("ip", "link", "add", "sc0", "type", "veth", "peer", "name", "x0").run().succeeds();
    assertThat(
            error(node.plugin("ADD", "c1", netns, own("\"subnet\":\"10.78.0.0/24\"")).run())
                .get("msg")
                .asString())
        .isEqualTo("sc0 exists and is no bridge");
  }

  @Test
  void vlansOfOneBridgeAreApart() {
    assumeTrue(
        node.inside("ip", "link", "add", "probe0", "type", "bridge", "vlan_filtering", "1")
                .run()
                .status()
            == 0,
        "this kernel's bridges have no VLAN filtering");
    node.inside("ip", "link", "del", "probe0").run().succeeds();
    List<String> spaces = new ArrayList<>();
    List<String> addresses = new ArrayList<>();
    for (int vlan : new int[] {10, 10, 20}) {
      String netns = node.container("v" + spaces.size());
      String config =
          own("\"subnet\":\"10.79.0.0/24\"")
              .replace("\"ipam\"", "\"vlan\":" + vlan + ",\"isGateway\":false,\"ipam\"");
      JsonNode result = add("c" + spaces.size(), netns, config);
      spaces.add(netns);
      addresses.add(result.at("/ips/0/address").asString().replaceFirst("/.*", ""));
      assertThat(
              node.inside(
                      "bridge", "vlan", "show", "dev", result.at("/interfaces/1/name").asString())
                  .run()
                  .succeeds()
                  .out())
          .contains(vlan + " PVID Egress Untagged");
    }
    CniNode.ping(spaces.get(0), 3, addresses.get(1)).run().succeeds();
    assertThat(CniNode.ping(spaces.get(0), 1, addresses.get(2)).run().status()).isNotZero();
  }

  @Test
  void framesWithAForeignHardwareAddressAreDropped() {
    String config =
        own("\"subnet\":\"10.70.0.0/24\"").replace("\"ipam\"", "\"macspoofchk\":true,\"ipam\"");
    String one = node.container("a");
    String two = node.container("b");
    add("c1", one, config);
    add("c2", two, config);
    CniNode.ping(one, 3, "10.70.0.3").run().succeeds();
    ip(one, "link", "set", "eth0", "address", "02:00:00:00:00:99");
    for (String target : new String[] {"10.70.0.1", "10.70.0.3"}) {
      assertThat(CniNode.ping(one, 1, target).run().status()).isNotZero();
    }
    CniNode.ping(two, 3, "10.70.0.1").run().succeeds();
    ip(one, "link", "set", "eth0", "address", "0a:58:0a:46:00:02");
    ip(one, "route", "replace", "default", "via", "10.70.0.1");
    CniNode.ping(one, 3, "10.70.0.3").run().succeeds();
    node.plugin("DEL", "c1", one, config).run().succeeds();
    String left = node.inside("nft", "list", "table", "bridge", "simplecni").run().succeeds().out();
    assertThat(left).doesNotContain("0a:58:0a:46:00:02").contains("0a:58:0a:46:00:03");
    node.plugin("GC", "", "", config.replaceFirst("\\{", "{\"cni.dev/valid-attachments\":[],"))
        .run()
        .succeeds();
    assertThat(node.inside("nft", "list", "table", "bridge", "simplecni").run().succeeds().out())
        .doesNotContain("0a:58:0a:46:00:03")
        .doesNotContain("elements");
  }

  @Test
  void forwardingIsSwitchedOn() {
    String script =
        "echo 0 >/proc/sys/net/ipv4/ip_forward; echo 0 >/proc/sys/net/ipv6/conf/all/forwarding";
    node.inside("sh", "-c", script).run().succeeds();
    String config =
        config(
            "\"ipam\":{\"dataDir\":\"@DIR@/leases\",\"ranges\":[[{\"subnet\":\"10.69.0.0/24\"}],[{\"subnet\":\"fd00:69::/64\"}]]}");
    add("c1", node.container("a"), config);
    String files = "cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding";
    assertThat(node.inside("sh", "-c", files).run().succeeds().lines()).containsExactly("1", "1");
  }

  @Test
  void gcAndStatusReachThePluginThatGivesAddresses() throws IOException {
    Path ipam = node.temp().resolve("fake-ipam");
    Files.writeString(
        ipam,
        """
        #!/bin/sh
        input=$(cat)
        echo "$CNI_COMMAND $(echo "$input" | grep -o '"kept"')" >>%s/log
        case $CNI_COMMAND in
          ADD) echo '{"cniVersion":"1.1.0","ips":[{"address":"10.68.0.2/24","gateway":"10.68.0.1"}]}' ;;
          STATUS) [ ! -e %s/full ] || { echo '{"cniVersion":"1.1.0","code":50,"msg":"nothing left"}'; exit 1; } ;;
        esac
        """
            .formatted(node.temp(), node.temp()));
    assertThat(ipam.toFile().setExecutable(true)).isTrue();
    String config = config("\"ipam\":{\"type\":\"fake-ipam\"}");
    String path = node.bin() + ":" + node.temp();
    node.plugin("STATUS", "", "", config).with("CNI_PATH", path).run().succeeds();
    node.plugin("ADD", "kept", node.container("a"), config).with("CNI_PATH", path).run().succeeds();
    String valid =
        config.replaceFirst(
            "\\{",
            "{\"cni.dev/valid-attachments\":[{\"containerID\":\"kept\",\"ifname\":\"eth0\"}],");
    node.plugin("GC", "", "", valid).with("CNI_PATH", path).run().succeeds();
    assertThat(node.links()).filteredOn(name -> name.startsWith("scni")).hasSize(1);
    Files.writeString(node.temp().resolve("full"), "");
    JsonNode error = error(node.plugin("STATUS", "", "", config).with("CNI_PATH", path).run());
    assertThat(error.get("code").asInt()).isEqualTo(50);
    assertThat(error.get("msg").asString()).contains("nothing left");
    assertThat(Files.readAllLines(node.temp().resolve("log")))
        .containsExactly("STATUS ", "ADD ", "GC \"kept\"", "STATUS ");
  }

  @Test
  void theScriptTellsWhatIsWrong() throws IOException {
    Path directory = Files.createDirectories(node.temp().resolve("liar"));
    Path liar = directory.resolve("liar");
    // answers everything with a success that it has not earned
    Files.writeString(
        liar,
        """
        #!/bin/sh
        cat >/dev/null
        case $CNI_COMMAND in
          VERSION) echo '{"cniVersion":"1.0.0","supportedVersions":["0.3.1","0.4.0","1.0.0"]}' ;;
          ADD) echo '{"cniVersion":"1.0.0","interfaces":[],"ips":[{"address":"10.9.9.9/24"}]}' ;;
        esac
        """);
    assertThat(liar.toFile().setExecutable(true)).isTrue();
    Path repository = RuntimeBinary.underTest().path().resolve("../../../..").normalize();
    Outcome outcome =
        Command.of(
                "python3",
                repository.resolve("scripts/cni-conformance.py").toString(),
                "--plugin",
                "liar",
                "--path",
                directory.toString(),
                "--cycles",
                "3",
                "--config",
                repository
                    .resolve("integration-tests/src/test/resources/cni/simplecni.json")
                    .toString())
            .run()
            .exits(1);
    for (String what :
        new String[] {
          "add wires and del unwires",
          "containers reach each other",
          "check passes and tells",
          "wrong calls have the codes",
          "malformed input",
          "a second add",
          "fifty concurrent adds",
          "exhaustion"
        }) {
      assertThat(outcome.out()).contains("FAILED: " + what);
    }
    assertThat(outcome.out()).contains("passed: version lists", "passed: del can be repeated");
  }
}

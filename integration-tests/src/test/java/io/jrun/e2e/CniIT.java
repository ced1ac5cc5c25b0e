package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/// `jrun cni` with the reference plugins, as cnitool's users know it.
@JrunOnly
class CniIT {
  private static final String PTP =
      """
      {"cniVersion":"0.4.0","name":"myptp","type":"ptp","ipMasq":true,
       "ipam":{"type":"host-local","subnet":"172.16.29.0/24","dataDir":"@DIR@/ipam",
               "routes":[{"dst":"0.0.0.0/0"}]}}\
      """;

  @SuppressWarnings("NullAway.Init")
  private CniNode node;

  @BeforeAll
  static void pluginsAreThere() throws IOException {
    Machine.assumeRoot();
    assumeTrue(
        Files.isExecutable(CniNode.REFERENCE.resolve("bridge")),
        "needs the Debian package containernetworking-plugins");
  }

  @BeforeEach
  void makeNode() throws IOException {
    node = new CniNode("cni-" + UUID.randomUUID().toString().substring(0, 8));
  }

  @AfterEach
  void removeNode() throws IOException {
    node.close();
  }

  private static String address(Outcome added) {
    return Config.json(added.succeeds().out()).at("/ips/0/address").asString().split("/")[0];
  }

  private static void pings(String netns, String address) {
    CniNode.ping(netns, 3, address).run().succeeds();
  }

  @Test
  void twoNamespacesOfThePtpExamplePingEachOther() throws IOException {
    node.configure("10-myptp.conf", PTP);
    String one = node.container("a");
    String two = node.container("b");
    String first = address(node.cni("add", "myptp", one).run());
    String second = address(node.cni("add", "myptp", two).run());
    pings(one, second);
    pings(two, first);
    node.cni("check", "myptp", one).run().succeeds();
    for (String netns : new String[] {one, two, two}) {
      node.cni("del", "myptp", netns).run().succeeds();
    }
    assertThat(node.links()).containsExactly("lo");
    assertThat(node.cache().resolve("results")).isEmptyDirectory();
    assertThat(node.inside("iptables", "-t", "nat", "-S").run().out()).doesNotContain("CNI-");
  }

  @Test
  void aChainOfBridgeAndPortmapForwardsAPort() throws IOException {
    node.configure(
        "10-chain.conflist",
        """
        {"cniVersion":"1.0.0","name":"chain","plugins":[
          {"type":"bridge","bridge":"chain0","isDefaultGateway":true,
           "ipam":{"type":"host-local","subnet":"10.71.0.0/24","dataDir":"@DIR@/ipam"}},
          {"type":"portmap","capabilities":{"portMappings":true}}]}\
        """);
    String netns = node.container("a");
    Outcome added =
        node.cni("add", "chain", netns)
            .with(
                "CAP_ARGS",
                "{\"portMappings\":[{\"hostPort\":8080,\"containerPort\":80,\"protocol\":\"tcp\"}]}")
            .run();
    String address = address(added);
    assertThat(node.inside("iptables", "-t", "nat", "-S").run().succeeds().out())
        .contains("--to-destination " + address + ":80");
    JsonNode cached =
        Config.json(
            Files.readString(
                node.cache()
                    .resolve("results")
                    .resolve(node.cache().resolve("results").toFile().list()[0])));
    assertThat(cached.get("kind").asString()).isEqualTo("cniCacheV1");
    assertThat(cached.at("/capabilityArgs/portMappings/0/hostPort").asInt()).isEqualTo(8080);
    node.cni("del", "chain", netns).run().succeeds();
    assertThat(node.inside("iptables", "-t", "nat", "-S").run().out())
        .doesNotContain("to-destination");
    assertThat(node.links()).doesNotContain("veth");
  }

  @Test
  void simplecniRunsWithinAChainLikeAnyPlugin() throws IOException {
    node.configure(
        "10-own.conflist",
        """
        {"cniVersion":"1.0.0","name":"own","plugins":[
          {"type":"simplecni","bridge":"own0","ipMasq":true,
           "ipam":{"subnet":"10.72.0.0/24","dataDir":"@DIR@/leases"}},
          {"type":"tuning","sysctl":{"net.ipv4.conf.eth0.proxy_arp":"1"}}]}\
        """);
    String netns = node.container("a");
    Outcome added = node.cni("add", "own", netns).run();
    assertThat(address(added)).isEqualTo("10.72.0.2");
    assertThat(CniNode.in(netns, "cat", "/proc/sys/net/ipv4/conf/eth0/proxy_arp").run().text())
        .isEqualTo("1");
    JsonNode list = Config.json(node.cni("list").run().succeeds().out());
    assertThat(list.at("/attachments/0/addresses/0").asString()).isEqualTo("10.72.0.2/24");
    assertThat(list.at("/networks/0/plugins/1").asString()).isEqualTo("tuning");
    node.cni("check", "own", netns).run().succeeds();
    node.cni("gc", "own").run().succeeds();
    assertThat(node.links()).containsExactlyInAnyOrder("lo", "own0");
    assertThat(node.inside("nft", "list", "map", "inet", "simplecni", "masq4").run().out())
        .doesNotContain("10.72.0.2");
  }

  @Test
  void failuresAreOneLineAndWhatBeganCanBeDeleted() throws IOException {
    node.configure("10-myptp.conf", PTP);
    String netns = node.container("a");
    node.cni("add", "other", netns).run().failsInOneLine("no net configuration with name", "other");
    node.cni("add", "myptp", "/run/netns/none")
        .run()
        .failsInOneLine("plugin type=", "ptp", "(add)");
    node.cni("del", "myptp", "/run/netns/none").run().succeeds();
    node.cni("add", "myptp").run().failsInOneLine("needs a network and a network namespace");
    node.cni("frob", "myptp").run().failsInOneLine("unknown command", "cni frob");
    node.cni("add", "myptp", netns, "b").run().failsInOneLine("cni add: unexpected argument b");
    node.cni("list", "myptp").run().failsInOneLine("cni list: unexpected argument myptp");
    node.cni("status", "myptp", netns).run().succeeds(); // as cnitool has it
    node.cni("check", "myptp", netns).run().failsInOneLine("no cached result");
    node.cni("add", "myptp", netns).with("CAP_ARGS", "{").run().failsInOneLine("CAP_ARGS", "JSON");
    node.configure("05-bad.conflist", "{");
    node.cni("add", "myptp", netns).run().failsInOneLine("05-bad.conflist", "is not JSON");
    assertThat(node.links()).containsExactly("lo");
  }

  @Test
  void aPluginThatHangsIsKilledWhenItsTimeIsOver() throws IOException {
    Path plugin = node.temp().resolve("hangs");
    Files.writeString(plugin, "#!/bin/sh\nexec sleep 100\n");
    assertThat(plugin.toFile().setExecutable(true)).isTrue();
    node.configure("10-h.conf", "{\"cniVersion\":\"0.4.0\",\"name\":\"h\",\"type\":\"hangs\"}");
    String netns = node.container("a");
    node.cni("--timeout", "1", "add", "h", netns)
        .with("CNI_PATH", node.temp().toString())
        .run()
        .failsInOneLine("hangs", "timed out after 1.0 s");
    assertThat(ProcessHandle.allProcesses().map(p -> p.info().commandLine().orElse("")))
        .noneMatch(line -> line.contains(node.temp().toString()));
  }

  @Test
  void whatAPluginSaysOnStandardErrorReachesTheCaller() throws IOException {
    Path plugin = node.temp().resolve("talks");
    Files.writeString(
        plugin,
        """
        #!/bin/sh
        cat >/dev/null
        echo warning-$CNI_IFNAME >&2
        echo '{"cniVersion":"0.4.0","code":123,"msg":"own error","details":"more"}'
        exit 1
        """);
    assertThat(plugin.toFile().setExecutable(true)).isTrue();
    node.configure("10-t.conf", "{\"cniVersion\":\"0.4.0\",\"name\":\"t\",\"type\":\"talks\"}");
    Outcome outcome =
        node.cni("add", "t", node.container("a"))
            .with("CNI_PATH", node.temp().toString())
            .with("CNI_IFNAME", "net7")
            .run()
            .exits(1);
    assertThat(outcome.err()).contains("warning-net7", "(add): own error; more");
  }

  @Test
  void versionsOfEveryPluginAreListed() throws IOException {
    node.configure("10-myptp.conf", PTP);
    JsonNode versions = Config.json(node.cni("version", "myptp").run().succeeds().out());
    assertThat(versions.at("/ptp/supportedVersions").toString()).contains("0.4.0");
    node.cni("status", "myptp").run().succeeds();
  }

  /// A machine's uplink, for plugins that put something on top of one.
  private void uplink() {
    node.inside(
            "sh",
            "-ec",
            "ip link add up0 type veth peer name up1; ip link set up0 up; ip link set up1 up")
        .run()
        .succeeds();
  }

  private boolean has(String... command) {
    return node.inside(command).run().status() == 0;
  }

  @Test
  void bandwidthShapesBothDirectionsInAChain() throws IOException {
    uplink();
    assumeTrue(
        has(
                "tc", "qdisc", "add", "dev", "up0", "root", "tbf", "rate", "1mbit", "burst", "10kb",
                "latency", "10ms")
            && has("ip", "link", "add", "probe0", "type", "ifb"),
        "this kernel has no tbf or no ifb");
    node.inside("ip", "link", "del", "probe0").run();
    node.configure(
        "10-bw.conflist",
        """
        {"cniVersion":"1.0.0","name":"bw","plugins":[
          {"type":"simplecni","bridge":"bw0","ipam":{"subnet":"10.61.0.0/24","dataDir":"@DIR@/leases"}},
          {"type":"bandwidth","capabilities":{"bandwidth":true}}]}\
        """);
    String netns = node.container("a");
    node.cni("add", "bw", netns)
        .with(
            "CAP_ARGS",
            "{\"bandwidth\":{\"ingressRate\":8000000,\"ingressBurst\":800000,\"egressRate\":8000000,\"egressBurst\":800000}}")
        .run()
        .succeeds();
    assertThat(node.inside("tc", "qdisc", "show").run().succeeds().lines())
        .filteredOn(line -> line.contains("tbf") && line.contains("rate 8Mbit"))
        .hasSize(2);
    node.cni("check", "bw", netns).run().succeeds();
    node.cni("del", "bw", netns).run().succeeds();
    assertThat(node.links()).containsExactlyInAnyOrder("lo", "up0", "up1", "bw0");
  }

  @Test
  void firewallAcceptsWhatAChainsContainerForwards() throws IOException {
    node.inside("iptables", "-P", "FORWARD", "DROP").run().succeeds();
    node.configure(
        "10-fw.conflist",
        """
        {"cniVersion":"1.0.0","name":"fw","plugins":[
          {"type":"simplecni","bridge":"fw0","ipam":{"subnet":"10.62.0.0/24","dataDir":"@DIR@/leases"}},
          {"type":"firewall","backend":"iptables"}]}\
        """);
    String netns = node.container("a");
    String address = address(node.cni("add", "fw", netns).run());
    assertThat(node.inside("iptables", "-S", "CNI-FORWARD").run().succeeds().out())
        .contains("-s " + address + "/32 -j ACCEPT");
    node.cni("check", "fw", netns).run().succeeds();
    node.cni("del", "fw", netns).run().succeeds();
    assertThat(node.inside("iptables", "-S", "CNI-FORWARD").run().out()).doesNotContain(address);
  }

  @ParameterizedTest
  @ValueSource(strings = {"macvlan", "vlan"})
  void anInterfaceOnAnUplinkIsMadeAndGoesAgain(String type) throws IOException {
    uplink();
    List<String> probe =
        new ArrayList<>(List.of("ip", "link", "add", "link", "up0", "probe0", "type", type));
    if (type.equals("vlan")) probe.addAll(List.of("id", "9"));
    assumeTrue(has(probe.toArray(String[]::new)), "this kernel has no " + type);
    node.inside("ip", "link", "del", "probe0").run().succeeds();
    node.configure(
        "10-up.conflist",
        """
        {"cniVersion":"1.0.0","name":"up","plugins":[
          {"type":"%s","master":"up0","vlanId":5,
           "ipam":{"type":"host-local","subnet":"10.63.0.0/24","dataDir":"@DIR@/ipam"}},
          {"type":"tuning","sysctl":{"net.ipv4.conf.eth0.arp_filter":"1"}}]}\
        """
            .formatted(type));
    String netns = node.container("a");
    String address = address(node.cni("add", "up", netns).run());
    assertThat(CniNode.in(netns, "ip", "-d", "addr", "show", "eth0").run().succeeds().out())
        .contains(address, type);
    assertThat(CniNode.in(netns, "cat", "/proc/sys/net/ipv4/conf/eth0/arp_filter").run().text())
        .isEqualTo("1");
    node.cni("check", "up", netns).run().succeeds();
    node.cni("del", "up", netns).run().succeeds();
    assertThat(CniNode.in(netns, "ip", "link").run().out()).doesNotContain("eth0");
  }

  @Test
  void loopbackComesUpAndGoesDown() throws IOException {
    node.configure(
        "10-lo.conf", "{\"cniVersion\":\"1.0.0\",\"name\":\"lo\",\"type\":\"loopback\"}");
    String netns = node.container("a");
    node.cni("add", "lo", netns).with("CNI_IFNAME", "lo").run().succeeds();
    pings(netns, "127.0.0.1");
    node.cni("check", "lo", netns).with("CNI_IFNAME", "lo").run().succeeds();
    node.cni("del", "lo", netns).with("CNI_IFNAME", "lo").run().succeeds();
    assertThat(CniNode.in(netns, "ip", "-o", "link", "show", "lo").run().out())
        .doesNotContain("<LOOPBACK,UP");
  }

  @ParameterizedTest
  @ValueSource(strings = {"add", "del"})
  void gcWaitsForAnAddOrDelThatIsUnderWay(String verb) throws IOException {
    Path plugin = node.temp().resolve("slow");
    Files.writeString(
        plugin,
        """
        #!/bin/sh
        cat >/dev/null
        cd %s
        echo "$CNI_COMMAND $CNI_CONTAINERID begins" >>log
        while [ $CNI_COMMAND = "$SLOW" ] && [ ! -e go ]; do sleep 0.05; done
        if [ "$CNI_COMMAND" = ADD ]; then echo '{"cniVersion":"1.1.0","interfaces":[]}'; fi
        echo "$CNI_COMMAND $CNI_CONTAINERID ends" >>log
        """
            .formatted(node.temp()));
    assertThat(plugin.toFile().setExecutable(true)).isTrue();
    node.configure(
        "10-s.conflist",
        "{\"cniVersion\":\"1.1.0\",\"name\":\"s\",\"plugins\":[{\"type\":\"slow\"}]}");
    String path = node.temp().toString();
    Path log = node.temp().resolve("log");
    String netns = node.container("a");
    if (verb.equals("del")) {
      node.cni("add", "s", netns).with("CNI_PATH", path).run().succeeds();
      Files.delete(log);
    }
    Command.Running slow =
        node.cni(verb, "s", netns)
            .with("CNI_PATH", path)
            .with("SLOW", verb.toUpperCase(Locale.ROOT))
            .start();
    assertThat(EndToEnd.eventually(() -> Files.exists(log))).isTrue();
    Command.Running gc = node.cni("gc", "s").with("CNI_PATH", path).start();
    EndToEnd.pause(500);
    assertThat(gc.process().isAlive()).isTrue();
    assertThat(Files.readAllLines(log)).hasSize(1);
    Files.writeString(node.temp().resolve("go"), "");
    slow.finish().succeeds();
    gc.finish().succeeds();
    List<String> expected = new ArrayList<>();
    if (verb.equals("add")) expected.addAll(List.of("ADD begins", "ADD ends"));
    expected.addAll(List.of("DEL begins", "DEL ends", "GC  begins", "GC  ends"));
    assertThat(
            Files.readAllLines(log).stream()
                .map(line -> line.replaceFirst(" cnitool-[0-9a-f]*", "")))
        .isEqualTo(expected);
  }
}

package io.jrun.e2e;

import static io.jrun.e2e.CniCluster.sh;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Nodes that find each other by a file: three of them, in each of the modes.
@JrunOnly
class CniNodesIT {
  private static final int COUNT = 3;

  private final List<String> containers = new ArrayList<>();

  @SuppressWarnings("NullAway.Init")
  private CniCluster cluster;

  @BeforeAll
  static void asRoot() throws IOException {
    Machine.assumeRoot();
  }

  @BeforeEach
  void makeNodes() throws IOException {
    cluster = new CniCluster(COUNT);
  }

  @AfterEach
  void removeNodes() throws IOException {
    cluster.close();
  }

  private Path nodesFile() {
    return cluster.underlay().temp().resolve("nodes.json");
  }

  private void nodesFile(int count) throws IOException {
    List<String> entries = new ArrayList<>();
    for (int i = 1; i <= count; i++) {
      entries.add(
          "{\"name\":\"n%d\",\"address\":\"192.168.50.%d\",\"subnet\":\"10.244.%d.0/24\"}"
              .formatted(i, i, i));
    }
    Files.writeString(nodesFile(), "{\"nodes\":[" + String.join(",", entries) + "]}");
  }

  private void configure(String mode) throws IOException {
    nodesFile(COUNT);
    for (int i = 1; i <= COUNT; i++) {
      cluster
          .node(i)
          .configure(
              "10-net.conflist",
              """
              {"cniVersion":"1.1.0","name":"net","plugins":[{"type":"simplecni","bridge":"sc0",
                "subnet":"10.244.0.0/16","mode":"%s","node":"n%d","nodesFile":"%s",
                "ipMasq":true,"ipam":{"dataDir":"@DIR@/leases"}}]}\
              """
                  .formatted(mode, i, nodesFile()));
    }
  }

  private void addContainers() {
    for (int i = 1; i <= COUNT; i++) {
      String netns = cluster.node(i).container("c");
      containers.add(netns);
      Outcome added = cluster.node(i).cni("add", "net", netns).run().succeeds();
      assertThat(Config.json(added.out()).at("/ips/0/address").asString())
          .isEqualTo("10.244.%d.2/24".formatted(i));
    }
  }

  private Outcome ping(int from, int to) {
    return CniCluster.ping(containers.get(from - 1), "10.244.%d.2".formatted(to));
  }

  private void allReachEachOther() {
    for (int from = 1; from <= COUNT; from++) {
      for (int to = 1; to <= COUNT; to++) {
        if (from != to) ping(from, to).succeeds();
      }
    }
  }

  private void sync(int node) {
    cluster.node(node).cni("node", "--once", "net").run().succeeds();
  }

  @Test
  void hostGatewaysReachEachOtherAndForgetWhoLeaves() throws IOException {
    configure("host-gw");
    addContainers();
    allReachEachOther();
    assertThat(cluster.routes(1)).contains("10.244.3.0/24 via 192.168.50.3 dev up0 proto 106");
    sh(cluster.node(1), "ip route add 10.9.0.0/16 via 192.168.50.9");
    nodesFile(2);
    sync(1);
    assertThat(cluster.routes(1))
        .contains("10.244.2.0/24", "10.9.0.0/16")
        .doesNotContain("10.244.3.0/24");
    nodesFile(3);
    sync(1);
    allReachEachOther();
  }

  @Test
  void vxlanReachesAcrossAndIsRepaired() throws IOException {
    configure("vxlan");
    addContainers();
    allReachEachOther();
    assertThat(sh(cluster.node(1), "ip -d link show scvx1").out())
        .contains("mtu 1450", "vxlan id 1 local 192.168.50.1 dev up0", "nolearning");
    assertThat(CniNode.in(containers.getFirst(), "ip", "link", "show", "eth0").run().out())
        .contains("mtu 1450");
    sh(cluster.node(1), "ip link del scvx1");
    assertThat(ping(1, 2).status()).isNotZero();
    sync(1);
    allReachEachOther();
    nodesFile(2);
    sync(1);
    assertThat(
            sh(cluster.node(1), "ip route; bridge fdb show dev scvx1; ip neigh show dev scvx1")
                .out())
        .contains("10.244.2.0", "192.168.50.2")
        .doesNotContain("10.244.3.0", "192.168.50.3");
  }

  @Test
  @Tag("vm")
  void ipipReachesAcrossOrSaysThatTheKernelHasNone() throws IOException {
    // one without an end would be the device that each namespace has already
    boolean hasIpip =
        cluster
                .node(1)
                .inside("ip", "link", "add", "probe", "type", "ipip", "remote", "192.0.2.9")
                .run()
                .status()
            == 0;
    configure("ipip");
    if (hasIpip) {
      addContainers();
      allReachEachOther();
      return;
    }
    CniNode first = cluster.node(1);
    first
        .cni("add", "net", first.container("c"))
        .run()
        .failsInOneLine("mode ipip: this kernel has no ipip devices (CONFIG_NET_IPIP)");
    assertThat(first.links()).noneMatch(name -> name.startsWith("scni"));
  }

  @Test
  void staticModeTellsTheRoutesThatAreMissing() throws IOException {
    configure("static");
    addContainers();
    assertThat(ping(1, 2).status()).isNotZero();
    CniNode first = cluster.node(1);
    first.cni("status", "net").run().failsInOneLine("missing: ip route add 10.244.2.0/24");
    for (int i = 1; i <= COUNT; i++) {
      CniNode node = cluster.node(i);
      Outcome commands = node.cni("node", "--once", "net").run().succeeds();
      assertThat(commands.lines()).hasSize(COUNT - 1);
      for (String command : commands.lines()) sh(node, command);
    }
    first.cni("status", "net").run().succeeds();
    assertThat(first.cni("node", "--once", "net").run().succeeds().out()).isEmpty();
    allReachEachOther();
  }

  @Test
  void theWatchFollowsTheList() throws IOException {
    configure("host-gw");
    CniNode first = cluster.node(1);
    nodesFile(1);
    Command.Running watch = first.cni("node", "net").start();
    try {
      nodesFile(3);
      assertThat(
              EndToEnd.eventually(
                  () -> cluster.routes(1).contains("10.244.3.0/24 via 192.168.50.3")))
          .isTrue();
      Files.writeString(nodesFile(), "{");
      assertThat(EndToEnd.eventually(() -> soFar(watch).contains("error: "))).isTrue();
      assertThat(cluster.routes(1)).contains("10.244.3.0/24");
      nodesFile(2);
      assertThat(EndToEnd.eventually(() -> !cluster.routes(1).contains("10.244.3.0/24"))).isTrue();
    } finally {
      watch.process().destroy();
      watch.finish();
    }
  }

  private static String soFar(Command.Running watch) {
    try {
      return watch.outputSoFar();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @Test
  void whatIsNotThereIsRefusedByName() throws IOException {
    configure("magic");
    cluster
        .node(1)
        .cni("add", "net", cluster.node(1).container("magic"))
        .run()
        .failsInOneLine("/mode: unknown mode ", "magic");
    configure("host-gw\",\"store\":\"etcd");
    cluster
        .node(1)
        .cni("add", "net", cluster.node(1).container("etcd"))
        .run()
        .failsInOneLine("/etcd: is required by the store etcd");
  }
}

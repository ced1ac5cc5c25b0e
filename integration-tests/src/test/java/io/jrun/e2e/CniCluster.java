package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/// Nodes, each a network namespace, on a bridge between them in one more. Node `i` is `ni` at
/// 192.168.50.i; the first is 1.
final class CniCluster implements AutoCloseable {
  private final String tag = "nodes-" + UUID.randomUUID().toString().substring(0, 8);
  private final List<CniNode> nodes = new ArrayList<>();
  private final CniNode underlay;

  CniCluster(int count) throws IOException {
    underlay = new CniNode(tag);
    sh(underlay, "ip link add wire type bridge && ip link set wire up");
    for (int i = 1; i <= count; i++) {
      CniNode node = new CniNode(tag + i);
      nodes.add(node);
      sh(
          underlay,
          "ip link add port%d type veth peer name up0 netns %s && ip link set port%d master wire up"
              .formatted(i, tag + i, i));
      sh(node, "ip addr add 192.168.50.%d/24 dev up0 && ip link set up0 up".formatted(i));
      sh(node, "ip route add default via 192.168.50.254");
    }
  }

  static Outcome sh(CniNode node, String script) {
    return node.inside("sh", "-c", script).run().succeeds();
  }

  int size() {
    return nodes.size();
  }

  CniNode node(int i) {
    return nodes.get(i - 1);
  }

  CniNode underlay() {
    return underlay;
  }

  /// Pulls a node's cable, or puts it back.
  void wire(int i, boolean isUp) {
    sh(underlay, "ip link set port%d %s".formatted(i, isUp ? "up" : "down"));
  }

  String routes(int i) {
    return sh(node(i), "ip route").out();
  }

  static Outcome ping(String netns, String address) {
    return CniNode.ping(netns, 2, address).run();
  }

  static void reach(String netns, String address) {
    assertThat(EndToEnd.eventually(() -> ping(netns, address).status() == 0))
        .as("%s reaches %s", netns, address)
        .isTrue();
  }

  @Override
  public void close() throws IOException {
    for (CniNode node : nodes) node.close();
    underlay.close();
  }
}

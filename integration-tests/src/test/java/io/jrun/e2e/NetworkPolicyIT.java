package io.jrun.e2e;

import static io.jrun.e2e.PolicyNode.document;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What network policies let through and what not, with traffic between network namespaces.
@JrunOnly
class NetworkPolicyIT {
  private static final String DENY_ALL = "podSelector: {}\npolicyTypes: [Ingress, Egress]";

  @SuppressWarnings("NullAway.Init")
  private PolicyNode node;

  @BeforeAll
  static void asRoot() throws IOException {
    Machine.assumeRoot();
  }

  @BeforeEach
  void makeNode() throws IOException {
    node = new PolicyNode();
    node.filterBridged(false);
  }

  @AfterEach
  void removeNode() throws IOException {
    node.close();
  }

  private static String tcp(String address, int port) {
    return "tcp," + address + "," + port;
  }

  private static String udp(String address, int port) {
    return "udp," + address + "," + port;
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void bothSidesMustAllowWhateverBridgesShowToIp(boolean isShown) throws IOException {
    node.filterBridged(isShown);
    List<String> a = node.container("a", "default", "app=a", "80", "81");
    List<String> b = node.container("b", "default", "app=b", "80", "81");
    List<String> elsewhere = node.container("elsewhere", "other", "app=a", "80");
    node.apply(document("deny", "default", DENY_ALL)).succeeds();
    List<String> ofB = List.of(tcp(b.getFirst(), 80), udp(b.getFirst(), 80), tcp(b.getLast(), 80));
    node.reaches("a", List.of(), ofB);
    node.reaches("a", List.of(), List.of(tcp(elsewhere.getFirst(), 80)));
    node.reaches("elsewhere", List.of(), ofB);
    // ARP and neighbour discovery work, so the node's own way is open
    node.reaches("", List.of(tcp(b.getFirst(), 80), tcp(b.getLast(), 80)), List.of());
    String egress =
        """
        podSelector: {matchLabels: {app: a}}
        policyTypes: [Egress]
        egress: [{to: [{podSelector: {matchLabels: {app: b}}}], ports: [{port: 80}]}]\
        """;
    node.apply(document("egress", "default", egress)).succeeds();
    node.reaches("a", List.of(), List.of(tcp(b.getFirst(), 80), tcp(b.getLast(), 80)));
    String ingress =
        """
        podSelector: {matchLabels: {app: b}}
        ingress: [{from: [{podSelector: {matchLabels: {app: a}}}]}]\
        """;
    node.apply(document("ingress", "default", ingress)).succeeds();
    // both sides allow port 80; the replies need no rule
    node.reaches(
        "a",
        List.of(tcp(b.getFirst(), 80), tcp(b.getLast(), 80)),
        List.of(tcp(b.getFirst(), 81), udp(b.getFirst(), 80)));
    node.reaches("b", List.of(), List.of(tcp(a.getFirst(), 80)));
    assertThat(Config.json(node.policy("show", "egress").out()).at("/counters/1/packets").asInt())
        .isPositive();
    node.apply(document("egress", "default", egress.replace(", ports: [{port: 80}]", "")))
        .succeeds();
    node.reaches("a", List.of(tcp(b.getFirst(), 81), udp(b.getLast(), 80)), List.of());
  }

  @Test
  void peersAreOfTheNamespacesThatTheirLabelsSay() throws IOException {
    List<String> db = node.container("db", "prod", "app=db", "80");
    node.container("web", "prod", "app=web");
    node.container("tool", "ops", "app=tool");
    node.container("webofops", "ops", "app=web");
    node.container("stranger", "dev", "app=tool");
    String namespace =
        "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: ops, labels: {team: ops}}\n";
    String spec =
        """
        podSelector: {matchLabels: {app: db}}
        ingress:
        - from:
          - podSelector: {matchLabels: {app: web}}
          - namespaceSelector: {matchLabels: {team: ops}}
            podSelector: {matchLabels: {app: tool}}\
        """;
    node.apply(namespace + document("db", "prod", spec)).succeeds();
    List<String> target = List.of(tcp(db.getFirst(), 80), udp(db.getLast(), 80));
    node.reaches("web", target, List.of());
    node.reaches("tool", target, List.of());
    node.reaches("webofops", List.of(), target);
    node.reaches("stranger", List.of(), target);
    String byName =
        "podSelector: {}\ningress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: dev}}}]}]";
    node.apply(document("dev", "prod", byName)).succeeds();
    node.reaches("stranger", target, List.of());
    assertThat(node.policy("delete", "namespace/ops").succeeds().text())
        .isEqualTo("namespace \"ops\" deleted");
    node.policy("delete", "namespace/ops").failsInOneLine("not found");
    node.reaches("tool", List.of(), target);
  }

  /// A machine of another network, which the node routes to.
  private String outside() {
    String outside = node.node().container("outside");
    run("ip", "link", "add", "up0", "type", "veth", "peer", "name", "eth0", "netns", outside);
    run("ip", "addr", "add", "192.168.45.1/24", "dev", "up0");
    run("ip", "link", "set", "up0", "up");
    for (String words :
        List.of(
            "ip addr add 192.168.45.2/24 dev eth0",
            "ip addr add 192.168.45.130/24 dev eth0",
            "ip link set eth0 up",
            "ip route add 10.91.0.0/24 via 192.168.45.1")) {
      CniNode.in(outside, words.split(" ")).run().succeeds();
    }
    return outside;
  }

  private void run(String... words) {
    node.node().inside(words).run().succeeds();
  }

  private static Outcome connect(String netns, String source, String address, int port) {
    String text =
        "import socket; s=socket.create_connection(('%s',%d),2,('%s',0)); s.send(b'x'); print(s.recv(1))"
            .formatted(address, port, source);
    return CniNode.in(netns, "python3", "-c", text).run();
  }

  @Test
  void blocksWithExceptionsGovernTrafficWithOtherNetworks() throws IOException {
    String outside = outside();
    List<String> web = node.container("web", "default", "app=web", "80");
    node.listen(outside, "outside", "80");
    String spec =
        """
        podSelector: {}
        ingress: [{from: [{ipBlock: {cidr: 192.168.45.0/24, except: [192.168.45.128/25]}}]}]
        egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [192.168.45.0/25]}}]}]\
        """;
    node.apply(document("blocks", "default", spec)).succeeds();
    assertThat(connect(outside, "192.168.45.2", web.getFirst(), 80).status()).isZero();
    assertThat(connect(outside, "192.168.45.130", web.getFirst(), 80).status()).isNotZero();
    node.reaches("web", List.of(tcp("192.168.45.130", 80)), List.of(tcp("192.168.45.2", 80)));
    // the node itself is reached whatever egress says
    node.listen("/run/netns/" + node.node().temp().getFileName(), "node", "85");
    node.reaches("web", List.of(tcp("10.91.0.1", 85), udp("10.91.0.1", 85)), List.of());
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aNeighbourMayUseAPublishedPortWhereItMayUseTheContainers(boolean isShown)
      throws IOException {
    assumeTrue(Files.exists(CniNode.REFERENCE.resolve("portmap")), "no portmap plugin");
    String chained =
        "{\"cniVersion\":\"1.0.0\",\"name\":\"net\",\"plugins\":["
            + node.config().replace("\"cniVersion\":\"1.1.0\",\"name\":\"net\",", "")
            + ",{\"type\":\"portmap\",\"capabilities\":{\"portMappings\":true}}]}";
    node.node().configure("10-net.conflist", chained);
    node.filterBridged(isShown);
    node.makeNamespace("web");
    String ports =
        "{\"portMappings\":[{\"hostPort\":8080,\"containerPort\":80,\"protocol\":\"tcp\"}]}";
    node.node()
        .cni("add", "net", node.netns("web"))
        .with("CNI_ARGS", "IgnoreUnknown=1;LABELS=app=web")
        .with("CAP_ARGS", ports)
        .run()
        .succeeds();
    node.listen(node.netns("web"), "web", "80");
    assertThat(node.container("client", "default", "app=client")).isNotEmpty();
    assertThat(node.container("other", "default", "app=other")).isNotEmpty();
    String spec =
        """
        podSelector: {matchExpressions: [{key: app, operator: In, values: [web, client]}]}
        ingress: [{from: [{podSelector: {matchLabels: {app: client}}}], ports: [{port: 80}]}]
        egress: [{to: [{podSelector: {matchLabels: {app: web}}}]}]\
        """;
    node.apply(document("web", "default", spec)).succeeds();
    node.reaches("client", List.of(tcp("10.91.0.1", 8080)), List.of());
    node.reaches("other", List.of(), List.of(tcp("10.91.0.1", 8080)));
    node.node().cni("del", "net", node.netns("web")).with("CAP_ARGS", ports).run().succeeds();
  }

  @Test
  void publishedPortsAreJudgedByWhoComesThroughThem() throws IOException {
    assumeTrue(Files.exists(CniNode.REFERENCE.resolve("portmap")), "no portmap plugin");
    String outside = outside();
    CniNode.in(outside, "ip", "route", "del", "10.91.0.0/24").run().succeeds();
    String chained =
        "{\"cniVersion\":\"1.0.0\",\"name\":\"net\",\"plugins\":["
            + node.config()
                .replace("\"cniVersion\":\"1.1.0\",\"name\":\"net\",", "")
                .replace("\"policyDir\"", "\"ipMasq\":true,\"policyDir\"")
            + ",{\"type\":\"portmap\",\"capabilities\":{\"portMappings\":true}}]}";
    node.node().configure("10-net.conflist", chained);
    node.makeNamespace("web");
    String ports =
        "{\"portMappings\":[{\"hostPort\":8080,\"containerPort\":80,\"protocol\":\"tcp\"}]}";
    node.node()
        .cni("add", "net", node.netns("web"))
        .with("CNI_ARGS", "IgnoreUnknown=1;LABELS=app=web")
        .with("CAP_ARGS", ports)
        .run()
        .succeeds();
    node.listen(node.netns("web"), "web", "80");
    node.listen(outside, "outside", "80");
    List<String> client = node.container("client", "default", "app=client");
    String spec =
        """
        podSelector: {matchLabels: {app: web}}
        ingress: [{from: [{ipBlock: {cidr: 192.168.45.2/32}}], ports: [{port: 80}]}]
        egress: [{to: [{ipBlock: {cidr: 192.168.45.130/32}}]}]\
        """;
    assertThat(client).isNotEmpty();
    node.apply(document("web", "default", spec)).succeeds();
    assertThat(connect(outside, "192.168.45.2", "192.168.45.1", 8080).status()).isZero();
    assertThat(connect(outside, "192.168.45.130", "192.168.45.1", 8080).status()).isNotZero();
    node.reaches("client", List.of(), List.of(tcp("192.168.45.1", 8080)));
    // masqueraded on the way out; the container reaches itself through the node
    node.reaches(
        "web",
        List.of(tcp("192.168.45.130", 80), tcp("192.168.45.1", 8080)),
        List.of(tcp("192.168.45.2", 80)));
    node.node().cni("del", "net", node.netns("web")).with("CAP_ARGS", ports).run().succeeds();
    assertThat(node.ruleset()).doesNotContain(" 10.91.0.2 ");
  }

  @Test
  void isolatedContainersNeitherForgeNorShout() throws IOException {
    node.container("sender", "default", "app=sender");
    List<String> target = node.container("target", "default", "app=target", "80");
    String send =
        """
        import socket,sys
        s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)
        s.setsockopt(socket.SOL_SOCKET,socket.SO_BROADCAST,1)
        s.bind((sys.argv[1],0))
        s.sendto(sys.argv[3].encode(),(sys.argv[2],80))
        """;
    CniNode.in(node.netns("sender"), "ip", "addr", "add", "10.91.0.77/24", "dev", "eth0")
        .run()
        .succeeds();
    // the way is open as long as nobody is isolated
    for (String[] words :
        new String[][] {
          {"10.91.0.77", target.getFirst(), "forged-before"},
          {"10.91.0.2", "10.91.0.255", "shouted-before"}
        }) {
      CniNode.in(node.netns("sender"), "python3", "-c", send, words[0], words[1], words[2])
          .run()
          .succeeds();
    }
    assertThat(PolicyNode.says(node.heard("target"), "forged-before")).isTrue();
    assertThat(PolicyNode.says(node.heard("target"), "shouted-before")).isTrue();
    String spec = "podSelector: {matchLabels: {app: sender}}\npolicyTypes: [Egress]";
    node.apply(document("sender", "default", spec)).succeeds();
    for (String[] words :
        new String[][] {
          {"10.91.0.77", target.getFirst(), "forged-after"},
          {"10.91.0.2", "10.91.0.255", "shouted-after"}
        }) {
      CniNode.in(node.netns("sender"), "python3", "-c", send, words[0], words[1], words[2]).run();
    }
    node.reaches("", List.of(udp(target.getFirst(), 80)), List.of());
    assertThat(Files.readString(node.heard("target"))).doesNotContain("after");
  }

  @Test
  void aPolicyIsOfTheNamespaceThatItSaysOrThatIsAsked() throws IOException {
    Path file = node.node().temp().resolve("p.yaml");
    Files.writeString(file, document("a", "one", "podSelector: {}"));
    node.policy("apply", "-f", file.toString()).succeeds();
    assertThat(node.policy("apply", "-f", file.toString()).succeeds().text())
        .endsWith("/a unchanged");
    assertThat(node.policy("apply", "-f", file.toString(), "--namespace", "two").err())
        .contains("one does not match the namespace asked, two");
    assertThat(node.policy("list", "--namespace", "two").succeeds().text()).isEqualTo("[]");
    node.policy("delete", "a", "--namespace", "one").succeeds();
    node.isClean();
  }

  @Test
  void aPolicyThatANetworkCannotEnforceIsRefused() throws IOException {
    try (PolicyNode flat = new PolicyNode("\"isGateway\":false,\"isDefaultGateway\":false,")) {
      flat.container("free", "other", "app=free");
      flat.apply(document("p", "default", "podSelector: {}")).succeeds();
      assertThat(flat.apply(document("q", "other", "podSelector: {}")).err())
          .contains("other/q isolates free", "isGateway");
      assertThat(flat.policy("list").succeeds().out()).doesNotContain("\"q\"");
      flat.policy("delete", "p").succeeds();
      flat.delete("free");
      flat.isClean();
    }
  }
}

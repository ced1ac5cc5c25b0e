package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/// Network policies, asked by real connections: TCP and UDP, IPv4 and IPv6, between containers of
/// one bridge, and with a host outside.
@JrunOnly
class CniPolicyIT {
  /// Listens on its ports for TCP and UDP in both families, and answers whatever comes. The seconds
  /// that what is allowed may take.
  private static final String LONG = String.valueOf(5 * Command.PATIENCE);

  private static final String SERVER =
      """
      import selectors, socket, sys
      s = selectors.DefaultSelector()
      for port in map(int, sys.argv[1:]):
          for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
              k = socket.socket(socket.AF_INET6, kind)
              k.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
              k.bind(("::", port))
              if kind == socket.SOCK_STREAM: k.listen(64)
              s.register(k, 1, kind)
      print("ready", flush=True)
      while True:
          for key, _ in s.select():
              if key.data == socket.SOCK_DGRAM:
                  data, peer = key.fileobj.recvfrom(100)
                  key.fileobj.sendto(data, peer)
              elif key.data == socket.SOCK_STREAM:
                  s.register(key.fileobj.accept()[0], 1, None)
              else:
                  data = key.fileobj.recv(100)
                  if data: key.fileobj.sendall(data)
                  else: s.unregister(key.fileobj); key.fileobj.close()
      """;

  /// Prints `ok` when an answer comes.
  private static final String CLIENT =
      """
      import socket, sys
      kind, host, port = sys.argv[1:4]
      s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
      s.settimeout(float(sys.argv[4]))
      try:
          s.connect((host, int(port)))
          s.send(b"x")
          print("ok" if s.recv(1) == b"x" else "closed")
      except OSError as e:
          print(e)
      """;

  /// Sends a line for each line of standard input over one connection.
  private static final String TALKER =
      """
      import socket, sys
      s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 5)
      s.settimeout(5)
      for line in sys.stdin:
          s.send(b"x")
          print("ok" if s.recv(1) == b"x" else "closed", flush=True)
      """;

  private final Map<String, String> namespaces = new HashMap<>();
  private final Map<String, List<String>> addresses = new HashMap<>();
  private final List<Process> processes = new ArrayList<>();

  @SuppressWarnings("NullAway.Init")
  private CniNode node;

  @BeforeAll
  static void asRoot() throws IOException {
    Machine.assumeRoot();
  }

  @BeforeEach
  void makeNode() throws IOException {
    node = new CniNode("np-" + UUID.randomUUID().toString().substring(0, 8));
    node.configure("10-net.conflist", network(""));
    bridgeNetfilter(0);
  }

  /// Whether frames of one bridge go through the hooks of IP too, where the kernel can at all.
  private void bridgeNetfilter(int value) {
    String script =
        "for f in /proc/sys/net/bridge/bridge-nf-call-ip*; do [ ! -e $f ] || echo %d >$f; done"
            .formatted(value);
    node.inside("sh", "-c", script).run().succeeds();
  }

  private static String network(String members) {
    return """
    {"cniVersion":"1.1.0","name":"net","plugins":[{"type":"simplecni","bridge":"sc0","ipMasq":true,
      "policyDir":"@DIR@/policy",%s"ipam":{"dataDir":"@DIR@/leases",
      "ranges":[[{"subnet":"10.88.0.0/24"}],[{"subnet":"fd00:88::/64"}]]}}]}\
    """
        .formatted(members);
  }

  @AfterEach
  void removeNode() throws IOException {
    for (Process process : processes) process.destroyForcibly().onExit().join();
    node.close();
  }

  private void serve(String netns, String... ports) throws IOException {
    List<String> words = new ArrayList<>(List.of("python3", "-c", SERVER));
    words.addAll(List.of(ports));
    Process process =
        new ProcessBuilder(CniNode.in(netns, words.toArray(String[]::new)).words())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    processes.add(process);
    assertThat(process.inputReader().readLine()).isEqualTo("ready");
  }

  /// A container with labels that listens on 80, 81 and 5353.
  private void container(String name, String args) throws IOException {
    String netns = node.container(name);
    attach(name, netns, args);
    CniNode.in(netns, "ip", "link", "set", "lo", "up").run().succeeds();
    serve(netns, "80", "81", "5353");
  }

  private void attach(String name, String netns, String args) {
    namespaces.put(name, netns);
    Outcome added = node.cni("add", "net", netns).with("CNI_ARGS", args).run().succeeds();
    JsonNode result = Config.json(added.out());
    addresses.put(
        name,
        List.of(
            result.at("/ips/0/address").asString().replaceFirst("/.*", ""),
            result.at("/ips/1/address").asString().replaceFirst("/.*", "")));
  }

  private String netns(String container) {
    return Objects.requireNonNull(namespaces.get(container), container);
  }

  private List<String> addresses(String container) {
    return Objects.requireNonNull(addresses.get(container), container);
  }

  private static Command client(String netns, String kind, String host, int port, String seconds) {
    return CniNode.in(netns, "python3", "-c", CLIENT, kind, host, String.valueOf(port), seconds);
  }

  private String attempt(String netns, String kind, String host, int port, String seconds) {
    return client(netns, kind, host, port, seconds).run().succeeds().text();
  }

  private void allowed(String from, String kind, String to, int port) throws IOException {
    attempts(from, kind, to, port, LONG, "ok");
  }

  private void denied(String from, String kind, String to, int port) throws IOException {
    attempts(from, kind, to, port, "0.4", "timed out");
  }

  /// To all addresses at once.
  private void attempts(
      String from, String kind, String to, int port, String seconds, String expected)
      throws IOException {
    List<Command.Running> clients = new ArrayList<>();
    for (String host : addresses(to))
      clients.add(client(netns(from), kind, host, port, seconds).start());
    for (Command.Running one : clients)
      assertThat(one.finish().succeeds().text()).as("%s", one.words()).isEqualTo(expected);
  }

  private Command policy(String... words) {
    List<String> all = new ArrayList<>(List.of("policy"));
    all.addAll(List.of(words));
    all.addAll(List.of("--policy-dir", node.temp().resolve("policy").toString()));
    return node.cni(all.toArray(String[]::new));
  }

  private Outcome apply(String yaml) {
    return policy("apply", "-f", "-").input(yaml).run().succeeds();
  }

  private static String document(String name, String spec) {
    return """
    apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata:
      name: %s
    spec: %s
    ---
    """
        .formatted(name, spec);
  }

  private String ruleset() {
    return node.inside("nft", "list", "ruleset").run().succeeds().out();
  }

  /// The rules alone: no sets, no counts.
  private List<String> rules() {
    return node.inside("nft", "-s", "list", "ruleset")
        .run()
        .succeeds()
        .out()
        .lines()
        .map(String::strip)
        .filter(line -> line.matches(".*(accept|drop|return|jump|goto)( comment .*)?"))
        .toList();
  }

  @Test
  void denyAllThenAllowByLabelPortAndProtocol() throws IOException {
    container("web", "LABELS=app=web,tier=front;PORTS=http:80/tcp,dns:5353/udp");
    container("front", "LABELS=app=front");
    container("other", "LABELS=app=other");
    for (String kind : List.of("tcp", "udp")) {
      allowed("front", kind, "web", 80);
      allowed("other", kind, "web", 80);
    }
    assertThat(apply(document("deny", "{podSelector: {}}")).text())
        .isEqualTo("networkpolicy.networking.k8s.io/deny created");
    for (String kind : List.of("tcp", "udp")) {
      denied("front", kind, "web", 80);
      denied("web", kind, "front", 80);
    }
    // the node itself, and a container itself, are always let through
    namespaces.put("node", "/run/netns/" + node.temp().getFileName());
    allowed("node", "tcp", "web", 80);
    allowed("web", "tcp", "web", 80);

    apply(
        document(
            "allow",
            """

              podSelector: {matchExpressions: [{key: tier, operator: In, values: [front, back]}]}
              ingress:
              - from: [{podSelector: {matchLabels: {app: front}}}]
                ports: [{port: http}, {port: dns, protocol: UDP}]
              - ports: [{port: 81, endPort: 90, protocol: UDP}]
            """));
    allowed("front", "tcp", "web", 80);
    allowed("front", "udp", "web", 5353);
    denied("front", "udp", "web", 80);
    denied("front", "tcp", "web", 81);
    denied("other", "tcp", "web", 80);
    allowed("other", "udp", "web", 81);
    denied("front", "tcp", "other", 80);

    JsonNode shown = Config.json(policy("show", "allow").run().succeeds().out());
    assertThat(shown.get("selected").asInt()).isEqualTo(1);
    assertThat(shown.at("/counters/0/rule").asString()).isEqualTo("ingress 0");
    assertThat(shown.at("/counters/0/packets").asInt()).isEqualTo(4); // two kinds, two families
    assertThat(shown.at("/counters/1/packets").asInt()).isEqualTo(2);
    assertThat(shown.at("/counters/2/rule").asString()).isEqualTo("ingress denied");
    assertThat(shown.at("/counters/2/packets").asInt()).isPositive();

    assertThat(policy("delete", "allow").run().succeeds().text())
        .isEqualTo("networkpolicy.networking.k8s.io \"allow\" deleted");
    denied("front", "tcp", "web", 80);
    policy("delete", "deny").run().succeeds();
    allowed("other", "tcp", "web", 80);
    assertThat(ruleset()).doesNotContain("np_");
    policy("show", "deny").run().failsInOneLine("\\\"deny\\\" not found");
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void egressByNamespaceAndBlockWithExceptions(int bridgeNetfilter) throws IOException {
    bridgeNetfilter(bridgeNetfilter);
    container("client", "K8S_POD_NAMESPACE=shop;LABELS=app=client;IgnoreUnknown=1");
    container("db", "K8S_POD_NAMESPACE=data;LABELS=app=db");
    container("same", "K8S_POD_NAMESPACE=shop;LABELS=app=db");
    String outside = outside();
    apply(
        """
        apiVersion: v1
        kind: Namespace
        metadata: {name: data, labels: {team: blue}}
        ---
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: out, namespace: shop}
        spec:
          podSelector: {matchLabels: {app: client}}
          policyTypes: [Egress]
          egress:
          - to:
            - namespaceSelector: {matchLabels: {team: blue}}
              podSelector: {matchLabels: {app: db}}
            - ipBlock: {cidr: 192.168.44.0/24, except: [192.168.44.2/31, 192.168.44.9/32]}
        """);
    allowed("client", "tcp", "db", 80);
    allowed("client", "udp", "db", 5353);
    denied("client", "tcp", "same", 80);
    allowed("same", "tcp", "client", 80);
    assertThat(attempt(outside, "tcp", "192.168.44.4", 80, LONG)).isEqualTo("ok");
    String client = netns("client");
    assertThat(attempt(client, "tcp", "192.168.44.4", 80, LONG)).isEqualTo("ok");
    for (String excepted : List.of("192.168.44.2", "192.168.44.3", "192.168.44.9")) {
      assertThat(attempt(client, "tcp", excepted, 80, "0.4")).as(excepted).isEqualTo("timed out");
      assertThat(attempt(netns("same"), "tcp", excepted, 80, LONG)).isEqualTo("ok");
    }
    // an isolated container cannot lie about who it is
    CniNode.in(client, "ip", "addr", "add", "10.88.0.200/24", "dev", "eth0").run().succeeds();
    assertThat(CniNode.ping(client, 1, "-I", "10.88.0.200", "10.88.0.1").run().status())
        .isNotZero();
    // nor go around by link-local addresses
    String linkLocal =
        CniNode.in(netns("same"), "sh", "-c", "ip -6 -o addr show eth0 scope link")
            .run()
            .text()
            .replaceFirst(".*inet6 ([^/]*)/.*", "$1");
    assertThat(CniNode.ping(client, 1, linkLocal + "%eth0").run().status()).isNotZero();
  }

  /// A namespace beside the node with many addresses of 192.168.44.0/24; returns its path.
  private String outside() throws IOException {
    String path = node.container("outside");
    String script =
        """
        ip link add up0 type veth peer name eth0 netns %s
        ip addr add 192.168.44.1/24 dev up0 && ip link set up0 up
        """
            .formatted(Path.of(path).getFileName());
    node.inside("sh", "-ec", script).run().succeeds();
    String there =
        "for i in 2 3 4 9; do ip addr add 192.168.44.$i/24 dev eth0; done; ip link set eth0 up; ip link set lo up; "
            + "ip route add default via 192.168.44.1";
    CniNode.in(path, "sh", "-ec", there).run().succeeds();
    serve(path, "80");
    return path;
  }

  @Test
  void containersThatComeAndGoChangeSetsOnly() throws IOException {
    container("web", "LABELS=app=web");
    apply(
        document(
            "web",
            "{podSelector: {matchLabels: {app: web}}, ingress: [{from: [{podSelector: {matchLabels: {app: front}}}]}]}"));
    List<String> before = rules();
    container("front", "LABELS=app=front");
    container("other", "");
    allowed("front", "tcp", "web", 80);
    denied("other", "tcp", "web", 80);
    assertThat(rules()).isEqualTo(before);
    node.cni("del", "net", netns("front")).run().succeeds();
    assertThat(rules()).isEqualTo(before);
    assertThat(ruleset()).doesNotContain(addresses("front").getFirst() + " ", "scni-gone");
    // whoever gets the address next is nobody's friend
    String again = node.container("again");
    attach("again", again, "IP=" + String.join(",", addresses("front")));
    assertThat(addresses("again")).isEqualTo(addresses("front"));
    denied("again", "tcp", "web", 80);
    // after somebody flushed everything the next container brings it back
    node.inside("nft", "flush", "ruleset").run().succeeds();
    allowed("other", "tcp", "web", 80);
    container("late", "LABELS=app=front");
    denied("other", "tcp", "web", 80);
    allowed("late", "tcp", "web", 80);
    node.inside(RuntimeBinary.underTest().path().toString(), "engine", "stop").run().succeeds();
    denied("other", "tcp", "web", 80);
    for (String name : List.of("web", "other", "again", "late")) {
      node.cni("del", "net", netns(name)).run().succeeds();
    }
    assertThat(node.inside("nft", "list", "set", "bridge", "simplecni", "np_iso4").run().out())
        .doesNotContain("elements");
    assertThat(policy("endpoints").run().succeeds().text()).isEqualTo("[]");
  }

  @Test
  void whatIsEstablishedGoesOnAndAnswersComeBack() throws IOException {
    container("web", "LABELS=app=web");
    container("front", "LABELS=app=front");
    apply(
        document(
            "out",
            "{podSelector: {matchLabels: {app: front}}, policyTypes: [Egress], egress: [{}]}"));
    String host = addresses("web").getFirst();
    Process talker =
        new ProcessBuilder(CniNode.in(netns("front"), "python3", "-c", TALKER, host, "80").words())
            .start();
    processes.add(talker);
    assertThat(talk(talker)).isEqualTo("ok");
    apply(document("deny", "{podSelector: {}}"));
    denied("front", "tcp", "web", 80);
    assertThat(talk(talker)).isEqualTo("ok");
    // front may ask, and be answered, while nobody may ask front
    apply(
        document(
            "web",
            "{podSelector: {matchLabels: {app: web}}, ingress: [{from: [{ipBlock: {cidr: 10.88.0.0/24}}, {ipBlock: {cidr: \"fd00:88::/64\"}}]}]}"));
    allowed("front", "tcp", "web", 80);
    allowed("front", "udp", "web", 80);
    denied("web", "tcp", "front", 80);
    denied("web", "udp", "front", 80);
  }

  private static String talk(Process talker) throws IOException {
    talker.outputWriter().write("\n");
    talker.outputWriter().flush();
    return String.valueOf(talker.inputReader().readLine());
  }

  @Test
  void wrongDocumentsAreRefusedAsAWhole() {
    Outcome outcome =
        policy("apply", "-f", "-")
            .input(
                document("good", "{podSelector: {}}")
                    + document(
                        "bad",
                        "{podSelektor: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [11.0.0.0/8]}}], ports: [{port: 0}]}]}"))
            .run();
    outcome.failsInOneLine(
        "/spec/podSelektor: unknown field",
        "/spec/ingress/0/from/0/ipBlock/except: 11.0.0.0/8 is not a part of 10.0.0.0/8",
        "/spec/ingress/0/ports/0/port: must be from 1 to 65535");
    assertThat(policy("list").run().succeeds().text()).isEqualTo("[]");
    policy("apply", "-f", "-").input("kind: [").run().failsInOneLine("-: ");
    policy("apply", "-f", "-").input("kind: Pod\n").run().failsInOneLine("Pod");
    policy("nonsense").run().failsInOneLine("unknown command");
  }

  @Test
  void aContainerThatCannotBeIsolatedIsRefused() throws IOException {
    node.configure("10-net.conflist", network("\"isGateway\":false,\"isDefaultGateway\":false,"));
    apply(document("deny", "{podSelector: {}}"));
    node.cni("add", "net", node.container("c"))
        .run()
        .failsInOneLine("needs a bridge that is its gateway (isGateway)");
    assertThat(node.links()).noneMatch(name -> name.startsWith("scni"));
  }

  @Test
  void whoEndedWithoutADelLeavesItsLabelsToNobody() throws IOException {
    container("web", "LABELS=app=web");
    apply(
        document(
            "web",
            "{podSelector: {matchLabels: {app: web}}, ingress: [{from: [{podSelector: {matchLabels: {app: front}}}]}]}"));
    String gone = node.container("gone");
    attach("gone", gone, "LABELS=app=front");
    allowed("gone", "tcp", "web", 80);
    node.remove(gone);
    // its lease is still there, as nobody said DEL; a cluster's own plugin gives the address again
    Path ipam = node.temp().resolve("fake-ipam");
    Files.writeString(
        ipam,
        """
        #!/bin/sh
        cat >/dev/null
        [ $CNI_COMMAND != ADD ] || echo '{"cniVersion":"1.1.0","ips":[{"address":"%s/24","gateway":"10.88.0.1"},{"address":"%s/64","gateway":"fd00:88::1"}]}'
        """
            .formatted(addresses("gone").get(0), addresses("gone").get(1)));
    assertThat(ipam.toFile().setExecutable(true)).isTrue();
    String config =
        """
        {"cniVersion":"1.1.0","name":"net","type":"simplecni","bridge":"sc0","isGateway":true,"isDefaultGateway":true,
         "policyDir":"@DIR@/policy","ipam":{"type":"fake-ipam"}}\
        """;
    String netns = node.container("next");
    node.plugin("ADD", "next", netns, config)
        .with("CNI_PATH", node.bin() + ":" + node.temp())
        .run()
        .succeeds();
    namespaces.put("next", netns);
    denied("next", "tcp", "web", 80);
    // nor when everything is built anew
    apply(document("other", "{podSelector: {matchLabels: {app: none}}}"));
    denied("next", "tcp", "web", 80);
  }
}

package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Stream;

/// A node whose containers have labels, listen, and reach each other or not.
final class PolicyNode implements AutoCloseable {
  private static final String LISTEN =
      """
      import socket, sys, threading
      def tcp(port):
          s = socket.create_server(('::', port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=64)
          def run():
              while True:
                  c, _ = s.accept()
                  threading.Thread(target=echo, args=(c,), daemon=True).start()
          return run
      def echo(c):
          while True:
              try: data = c.recv(4096)
              except OSError: break
              if not data: break
              c.sendall(data)
          c.close()
      def udp(port):
          s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
          s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
          s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
          s.bind(('::', port))
          def run():
              while True:
                  data, peer = s.recvfrom(4096)
                  open(sys.argv[1], 'a').write(data.decode() + '\\n')
                  s.sendto(data, peer)
          return run
      runs = [make(port) for port in map(int, sys.argv[2:]) for make in (tcp, udp)]
      for run in runs: threading.Thread(target=run, daemon=True).start()
      print('ready', flush=True)
      threading.Event().wait()
      """;

  /// Asks all targets at once. What should answer has long for it; what should not, as long as an
  /// answer takes many times over.
  private static final String ASK =
      """
      import os, socket, sys, threading, time
      patience = int(os.environ.get('JRUN_PATIENCE', '1'))
      answers = {}
      def ask(word):
          expect, proto, address, port = word.split(',')
          deadline = time.time() + (20 * patience if expect == 'open' else 0.7)
          family = socket.AF_INET6 if ':' in address else socket.AF_INET
          answers[word] = 'shut'
          while time.time() < deadline and answers[word] == 'shut':
              s = socket.socket(family, socket.SOCK_STREAM if proto == 'tcp' else socket.SOCK_DGRAM)
              s.settimeout(min(3 * patience if proto == 'tcp' else 0.5, max(0.1, deadline - time.time())))
              try:
                  s.connect((address, int(port)))
                  s.send(b'hello')
                  if s.recv(9) == b'hello': answers[word] = 'open'
              except OSError: time.sleep(0.05)
              finally: s.close()
      threads = [threading.Thread(target=ask, args=(w,)) for w in sys.argv[1:]]
      for t in threads: t.start()
      for t in threads: t.join()
      for w in sys.argv[1:]: print(w.split(',', 1)[1], answers[w])
      """;

  private final CniNode node;
  private final String config;
  private final List<Command.Running> running = new ArrayList<>();
  private final Map<String, String> netns = new LinkedHashMap<>();

  PolicyNode() throws IOException {
    this("");
  }

  /// @param members of the network's configuration, each with a comma behind it
  PolicyNode(String members) throws IOException {
    node = new CniNode("pol-" + UUID.randomUUID().toString().substring(0, 8));
    config =
        "{\"cniVersion\":\"1.1.0\",\"name\":\"net\",\"type\":\"simplecni\",\"bridge\":\"pol0\","
            + members
            + "\"policyDir\":\"@DIR@/policy\",\"ipam\":{\"dataDir\":\"@DIR@/leases\","
            + "\"ranges\":[[{\"subnet\":\"10.91.0.0/24\"}],[{\"subnet\":\"fd91::/64\"}]]}}";
  }

  /// Whether the bridge shows frames to the hooks of IP, where the kernel has br_netfilter.
  void filterBridged(boolean isShown) {
    node.inside(
            "sh",
            "-c",
            "for f in /proc/sys/net/bridge/bridge-nf-call-ip*tables; do [ ! -e $f ] || echo "
                + (isShown ? 1 : 0)
                + " > $f; done")
        .run()
        .succeeds();
  }

  CniNode node() {
    return node;
  }

  String config() {
    return config;
  }

  String netns(String id) {
    return java.util.Objects.requireNonNull(netns.get(id));
  }

  private static String args(String namespace, String labels) {
    return "IgnoreUnknown=1;K8S_POD_NAMESPACE=" + namespace + ";LABELS=" + labels;
  }

  Command addCommand(String id, String namespace, String labels) {
    return node.plugin("ADD", id, netns(id), config).with("CNI_ARGS", args(namespace, labels));
  }

  Command deleteCommand(String id) {
    return node.plugin("DEL", id, netns(id), config);
  }

  void makeNamespace(String id) {
    netns.put(id, node.container(id));
    CniNode.in(netns(id), "ip", "link", "set", "lo", "up").run().succeeds();
  }

  /// A container that is added and listens by TCP and UDP; returns its IPv4 and IPv6 address.
  List<String> container(String id, String namespace, String labels, String... ports)
      throws IOException {
    makeNamespace(id);
    List<String> addresses = addresses(addCommand(id, namespace, labels).run().succeeds());
    if (ports.length > 0) listen(netns(id), id, ports);
    return addresses;
  }

  static List<String> addresses(Outcome added) {
    List<String> addresses = new ArrayList<>();
    Config.json(added.out())
        .get("ips")
        .forEach(ip -> addresses.add(ip.get("address").asString().replaceFirst("/.*", "")));
    return addresses;
  }

  void listen(String netns, String id, String... ports) throws IOException {
    List<String> words = new ArrayList<>(List.of("python3", "-c", LISTEN, heard(id).toString()));
    words.addAll(List.of(ports));
    Command.Running server = CniNode.in(netns, words.toArray(String[]::new)).start();
    running.add(server);
    assertThat(says(server.out(), "ready")).isTrue();
  }

  /// What came to a container's UDP ports, a line each.
  Path heard(String id) {
    return node.temp().resolve("heard-" + id);
  }

  /// Whether a file comes to contain the text.
  static boolean says(Path file, String text) {
    return EndToEnd.eventually(() -> {
      try {
        return Files.exists(file) && Files.readString(file).contains(text);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    });
  }

  void delete(String id) {
    deleteCommand(id).run().succeeds();
  }

  Outcome policy(String... words) {
    return policyCommand(words).run();
  }

  Command policyCommand(String... words) {
    List<String> all = new ArrayList<>(List.of("policy"));
    all.addAll(List.of(words));
    all.addAll(List.of("--policy-dir", node.temp().resolve("policy").toString()));
    return node.cni(all.toArray(String[]::new));
  }

  Outcome apply(String yaml) {
    return policyCommand("apply", "-f", "-").input(yaml).run();
  }

  static String document(String name, String namespace, String spec) {
    return "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: "
        + name
        + "\n  namespace: "
        + namespace
        + "\nspec:\n"
        + spec.indent(2);
  }

  /// Asks from a container, or from the node where the id is empty: each target is
  /// `tcp|udp,ADDRESS,PORT`.
  void reaches(String id, List<String> open, List<String> shut) {
    String from = id.isEmpty() ? "" : netns(id);
    List<String> words = new ArrayList<>(List.of("python3", "-c", ASK));
    open.forEach(one -> words.add("open," + one));
    shut.forEach(one -> words.add("shut," + one));
    String[] all = words.toArray(String[]::new);
    Command ask = from.isEmpty() ? node.inside(all) : CniNode.in(from, all);
    List<String> expected = new ArrayList<>();
    open.forEach(one -> expected.add(one + " open"));
    shut.forEach(one -> expected.add(one + " shut"));
    assertThat(ask.run().succeeds().lines()).as("from " + id).containsExactlyElementsOf(expected);
  }

  String ruleset() {
    return node.inside("nft", "list", "ruleset").run().succeeds().out();
  }

  /// How many containers a policy selects.
  int selected(String name) {
    return Config.json(policy("show", name, "--json").succeeds().out()).get("selected").asInt();
  }

  /// The files in one of the directories of the policies.
  List<String> files(String kind) throws IOException {
    try (Stream<Path> files = Files.list(node.temp().resolve("policy").resolve(kind))) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  /// All is gone that policies and containers had.
  void isClean() throws IOException {
    assertThat(ruleset()).doesNotContain("np_", "scni");
    for (String kind : List.of("policies", "endpoints", "namespaces")) {
      assertThat(files(kind)).as(kind).isEmpty();
    }
    assertThat(node.temp().resolve("policy/changing")).doesNotExist();
  }

  @Override
  public void close() throws IOException {
    for (Command.Running one : running) {
      one.process().destroyForcibly();
      one.finish();
    }
    node.close();
  }
}

package io.jrun.e2e;

import static io.jrun.e2e.CniCluster.ping;
import static io.jrun.e2e.CniCluster.reach;
import static io.jrun.e2e.CniCluster.sh;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/// Three nodes that take their subnets from a real etcd on the first of them.
@JrunOnly
class CniEtcdIT {
  private static final int COUNT = 3;
  private static final String ADDRESS = "192.168.50.1";

  /// What a watch says where nothing is missing.
  private static final String WELL = "all routes are there";

  /// Of leases that do not end while a test runs.
  private static final int LASTING_SECONDS = 600 * Command.PATIENCE;

  @SuppressWarnings("NullAway.Init")
  private CniCluster cluster;

  @SuppressWarnings("NullAway.Init")
  private EtcdServer etcd;

  private final List<Command.Running> watches = new ArrayList<>();

  @BeforeAll
  static void possible() throws IOException {
    Machine.assumeRoot();
    assumeTrue(Files.exists(Path.of("/usr/bin/etcd")), "no etcd: install etcd-server");
  }

  @BeforeEach
  void makeCluster() throws IOException {
    cluster = new CniCluster(COUNT);
  }

  @AfterEach
  void removeCluster() throws IOException {
    for (Command.Running watch : watches) {
      watch.process().destroy();
      watch.finish();
    }
    if (etcd != null) etcd.close();
    cluster.close();
  }

  private void startEtcd() throws IOException {
    etcd = new EtcdServer(cluster.node(1), ADDRESS, null);
  }

  private void configure(String mode, int leaseSeconds, String etcdMembers) throws IOException {
    for (int i = 1; i <= COUNT; i++) configure(i, "n" + i, mode, leaseSeconds, etcdMembers);
  }

  private void configure(int i, String name, String mode, int leaseSeconds, String etcdMembers)
      throws IOException {
    cluster
        .node(i)
        .configure(
            "10-net.conflist",
            """
            {"cniVersion":"1.1.0","name":"net","plugins":[{"type":"simplecni","bridge":"sc0",
              "subnet":"10.244.0.0/16","mode":"%s","store":"etcd","node":"%s","ipMasq":true,
              "policyDir":"@DIR@/policy",
              "etcd":{"leaseSeconds":%d,"timeoutMillis":%d,%s},
              "ipam":{"dataDir":"@DIR@/leases"}}]}\
            """
                .formatted(mode, name, leaseSeconds, 2000 * Command.PATIENCE, etcdMembers));
  }

  private String endpoints() {
    return "\"endpoints\":[\"" + etcd.url() + "\"]";
  }

  /// Adds a container; returns its address.
  private String add(int node, String netns) {
    Outcome added = cluster.node(node).cni("add", "net", netns).run().succeeds();
    return Config.json(added.out()).at("/ips/0/address").asString().replaceFirst("/.*", "");
  }

  private Command.Running watch(int node) throws IOException {
    Command.Running watch = cluster.node(node).cni("node", "net").start();
    watches.add(watch);
    return watch;
  }

  private void end(Command.Running watch) throws IOException {
    watches.remove(watch);
    watch.process().destroy();
    watch.finish();
  }

  private static boolean says(Command.Running watch, String text) {
    try {
      return watch.outputSoFar().contains(text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String saidAtLast(Command.Running watch) {
    try {
      return watch.outputSoFar().lines().reduce("", (before, line) -> line);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void sync(int node) {
    cluster.node(node).cni("node", "--once", "net").run().succeeds();
  }

  private static String subnet(String address) {
    return address.replaceFirst("\\.[0-9]+$", ".0/24");
  }

  private JsonNode pluginError(int node, String verb) throws IOException {
    String netns = cluster.node(node).container(verb.toLowerCase(java.util.Locale.ROOT));
    String file = Files.readString(cluster.node(node).temp().resolve("net.d/10-net.conflist"));
    String plugin = Config.json(file).at("/plugins/0").toString();
    String config = "{\"cniVersion\":\"1.1.0\",\"name\":\"net\"," + plugin.substring(1);
    Outcome outcome = cluster.node(node).plugin(verb, "err-" + verb, netns, config).run();
    return Config.json(outcome.exits(1).out());
  }

  @ParameterizedTest
  @ValueSource(strings = {"static", "host-gw", "vxlan"})
  void nodesTakeSubnetsAndContainersReachAcross(String mode) throws IOException {
    startEtcd();
    configure(mode, LASTING_SECONDS, endpoints());
    List<String> netns = new ArrayList<>();
    List<String> addresses = new ArrayList<>();
    for (int i = 1; i <= COUNT; i++) {
      netns.add(cluster.node(i).container("c"));
      addresses.add(add(i, netns.getLast()));
    }
    assertThat(addresses.stream().map(CniEtcdIT::subnet).distinct()).hasSize(COUNT);
    assertThat(etcd.count("/jrun/cni/net/addresses/")).isEqualTo(COUNT);
    for (int i = 1; i <= COUNT; i++) {
      Outcome told = cluster.node(i).cni("node", "--once", "net").run().succeeds();
      if (mode.equals("static")) {
        assertThat(told.lines()).hasSize(COUNT - 1);
        for (String command : told.lines()) sh(cluster.node(i), command);
      }
    }
    for (int from = 0; from < COUNT; from++) {
      for (int to = 0; to < COUNT; to++) {
        if (from != to) ping(netns.get(from), addresses.get(to)).succeeds();
      }
    }
    for (int i = 1; i <= COUNT; i++) {
      cluster.node(i).cni("del", "net", netns.get(i - 1)).run().succeeds();
    }
    assertThat(etcd.count("/jrun/cni/net/addresses/")).isZero();
    assertThat(etcd.count("/jrun/cni/net/subnets/")).isEqualTo(COUNT);
  }

  @Test
  void aLostEtcdStopsWhatIsNewAndNothingElse() throws IOException {
    startEtcd();
    configure("host-gw", LASTING_SECONDS, endpoints());
    String one = cluster.node(2).container("c");
    String two = cluster.node(3).container("c");
    String first = add(2, one);
    String second = add(3, two);
    Command.Running watch = watch(2);
    assertThat(EndToEnd.eventually(() -> says(watch, WELL))).isTrue();
    ping(one, second).succeeds();
    etcd.kill();
    ping(one, second).succeeds();
    JsonNode refused = pluginError(2, "ADD");
    assertThat(refused.get("code").asInt()).isEqualTo(11);
    assertThat(refused.get("msg").asString()).contains("etcd at http://192.168.50.1:2379: ");
    assertThat(pluginError(2, "STATUS").get("code").asInt()).isEqualTo(50);
    assertThat(cluster.node(2).links()).filteredOn(name -> name.startsWith("scni")).hasSize(1);
    // routes that somebody takes away come back without etcd
    sh(cluster.node(2), "ip route del " + subnet(second));
    assertThat(EndToEnd.eventually(() -> cluster.routes(2).contains(subnet(second)))).isTrue();
    assertThat(EndToEnd.eventually(() -> says(watch, "error: etcd at "))).isTrue();
    ping(one, second).succeeds();
    EndToEnd.pause(3000); // some rounds, with and without a try
    // a container can go; etcd hears of it later
    cluster.node(2).cni("del", "net", one).run().succeeds();
    etcd.start();
    assertThat(EndToEnd.eventually(() -> etcd.count("/jrun/cni/net/addresses/n2/") == 0)).isTrue();
    String again = add(2, one);
    assertThat(subnet(again)).isEqualTo(subnet(first));
    ping(one, second).succeeds();
    assertThat(EndToEnd.eventually(() -> saidAtLast(watch).equals(WELL))).isTrue();
    assertThat(watch.outputSoFar().lines().filter(WELL::equals)).hasSize(2);
  }

  @Test
  void anErrorIsToldOnceUntilAllIsWell() throws IOException {
    String second = "http://" + ADDRESS + ":2378"; // where nobody ever listens
    configure(
        1,
        "n1",
        "host-gw",
        LASTING_SECONDS,
        "\"endpoints\":[\"http://%s:2379\",\"%s\"]".formatted(ADDRESS, second));
    Command.Running watch = watch(1);
    assertThat(EndToEnd.eventually(() -> says(watch, "error: etcd at "))).isTrue();
    EndToEnd.pause(3000); // some rounds, with and without a try
    startEtcd();
    assertThat(EndToEnd.eventually(() -> saidAtLast(watch).equals(WELL))).isTrue();
    assertThat(watch.outputSoFar().lines())
        .doesNotHaveDuplicates()
        .allMatch(line -> line.startsWith("error: etcd at ") || line.equals(WELL));
  }

  @Test
  void aNodeThatDiesIsForgottenAndComesBackWithItsSubnet() throws IOException {
    startEtcd();
    configure("vxlan", 3 * Command.PATIENCE, endpoints());
    String one = cluster.node(1).container("c");
    String two = cluster.node(2).container("c");
    add(1, one);
    String address = add(2, two);
    Command.Running first = watch(1);
    Command.Running second = watch(2);
    Command.Running third = watch(3);
    reach(one, address);
    assertThat(EndToEnd.eventually(() -> cluster.routes(3).contains(subnet(address)))).isTrue();
    // it dies: nobody renews its lease
    end(second);
    cluster.wire(2, false);
    assertThat(EndToEnd.eventually(() -> !cluster.routes(1).contains(subnet(address)))).isTrue();
    assertThat(EndToEnd.eventually(() -> !cluster.routes(3).contains(subnet(address)))).isTrue();
    assertThat(sh(cluster.node(1), "bridge fdb show dev scvx1").out())
        .doesNotContain("192.168.50.2");
    assertThat(etcd.count("/jrun/cni/net/addresses/n2/")).isZero();
    etcd.compact();
    // and returns, with the container that it had
    cluster.wire(2, true);
    watch(2);
    reach(one, address);
    assertThat(EndToEnd.eventually(() -> etcd.count("/jrun/cni/net/addresses/n2/") == 1)).isTrue();
    assertThat(says(first, "error")).isFalse();
    assertThat(says(third, "error")).isFalse();
  }

  @Test
  void aSubnetThatWasLostIsNotGivenFromWhileItsContainersAreThere() throws IOException {
    startEtcd();
    configure("host-gw", 2 * Command.PATIENCE, endpoints());
    String one = cluster.node(2).container("c");
    String address = add(2, one);
    assertThat(EndToEnd.eventually(() -> etcd.count("/jrun/cni/net/subnets/") == 0)).isTrue();
    sync(3);
    JsonNode lost = pluginError(2, "ADD");
    assertThat(lost.get("code").asInt()).isEqualTo(100);
    assertThat(lost.get("msg").asString())
        .contains("subnet " + subnet(address) + " of this node was taken by node n3");
    cluster.node(2).cni("del", "net", one).run().succeeds();
    assertThat(subnet(add(2, one))).isNotEqualTo(subnet(address));
  }

  @Test
  void twoNodesOfOneNameAndNetworksOfOneNameAreRefused() throws IOException {
    startEtcd();
    configure("host-gw", LASTING_SECONDS, endpoints());
    sync(1);
    configure(2, "n1", "host-gw", LASTING_SECONDS, endpoints());
    CniNode second = cluster.node(2);
    second
        .cni("node", "--once", "net")
        .run()
        .failsInOneLine("node n1 is at 192.168.50.1 and not at 192.168.50.2");
    configure(2, "n2", "host-gw", LASTING_SECONDS, endpoints());
    Path file = second.temp().resolve("net.d/10-net.conflist");
    Files.writeString(file, Files.readString(file).replace("10.244.0.0/16", "10.240.0.0/12"));
    second.cni("node", "--once", "net").run().failsInOneLine("network net is ", "10.240.0.0/12");
  }

  @Test
  void severalEndpointsTlsAndUsers() throws IOException {
    Path certificates = Files.createDirectories(cluster.node(1).temp().resolve("tls"));
    String make =
        """
        cd %s
        openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=ca -keyout ca-key.pem -out ca.pem
        for who in server client; do
          openssl req -newkey rsa:2048 -nodes -subj /CN=$who -keyout $who-key.pem -out $who.csr
          printf 'subjectAltName=IP:%s\\nextendedKeyUsage=serverAuth,clientAuth' >ext
          openssl x509 -req -in $who.csr -CA ca.pem -CAkey ca-key.pem -CAcreateserial -days 2 -extfile ext -out $who.pem
        done
        """
            .formatted(certificates, ADDRESS);
    Command.of("sh", "-ec", make).run().succeeds();
    etcd = new EtcdServer(cluster.node(1), ADDRESS, certificates);
    etcd.ask("POST", "/v3/auth/user/add", "{\"name\":\"root\",\"password\":\"secret\"}");
    etcd.ask("POST", "/v3/auth/role/add", "{\"name\":\"root\"}");
    etcd.ask("POST", "/v3/auth/user/grant", "{\"user\":\"root\",\"role\":\"root\"}");
    etcd.ask("POST", "/v3/auth/enable", "{}");
    Path password = certificates.resolve("password");
    Files.writeString(password, "secret\n");
    String dead = "https://192.168.50.3:2379";
    String trusted =
        "\"endpoints\":[\"%s\",\"%s\"],\"caFile\":\"%s/ca.pem\",\"certFile\":\"%s/client.pem\",\"keyFile\":\"%s/client-key.pem\""
            .formatted(dead, etcd.url(), certificates, certificates, certificates);
    String user = ",\"username\":\"root\",\"passwordFile\":\"" + password + "\"";
    configure("host-gw", LASTING_SECONDS, trusted + user);
    String one = cluster.node(1).container("c");
    String two = cluster.node(2).container("c");
    add(1, one);
    String address = add(2, two);
    sync(1);
    ping(one, address).succeeds();

    Files.writeString(password, "wrong\n");
    String wrong = password.resolveSibling("wrong").toString();
    Files.writeString(Path.of(wrong), "wrong\n");
    configure("host-gw", LASTING_SECONDS, trusted + user.replace(password.toString(), wrong));
    assertThat(pluginError(3, "ADD").get("code").asInt()).isEqualTo(7);
    // without the certificate of a client there is no connection at all
    configure(
        "host-gw",
        LASTING_SECONDS,
        "\"endpoints\":[\"%s\"],\"caFile\":\"%s/ca.pem\"".formatted(etcd.url(), certificates));
    assertThat(pluginError(2, "ADD").get("code").asInt()).isEqualTo(11);
    configure("host-gw", LASTING_SECONDS, endpoints() + ",\"caFile\":\"/nowhere\"");
    assertThat(pluginError(1, "ADD").get("msg").asString())
        .contains("/etcd/caFile: /nowhere cannot be read");
  }

  @ParameterizedTest
  @ValueSource(strings = {"host-gw", "vxlan"})
  void policiesSelectContainersOfOtherNodes(String mode) throws IOException {
    startEtcd();
    configure(mode, LASTING_SECONDS, endpoints());
    String web = cluster.node(1).container("web");
    String address = labelled(1, web, "app=web");
    String front = cluster.node(2).container("front");
    labelled(2, front, "app=front");
    String other = cluster.node(3).container("other");
    labelled(3, other, "app=other");
    Command.Running watch = watch(1);
    reach(front, address);
    reach(other, address);
    policy(1, "apply", "-f", "-")
        .input(
            """
            {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: web},
             spec: {podSelector: {matchLabels: {app: web}},
                    ingress: [{from: [{podSelector: {matchLabels: {app: front}}}]}]}}
            """)
        .run()
        .succeeds();
    ping(front, address).succeeds();
    assertThat(ping(other, address).status()).isNotZero();
    ping(web, labelledAddress(3)).succeeds(); // it may ask, and is answered
    // one more on a node far away is let in as soon as it is heard of
    String late = cluster.node(3).container("late");
    labelled(3, late, "app=front");
    reach(late, address);
    // and whoever has its address afterwards is not
    cluster.node(3).cni("del", "net", late).run().succeeds();
    assertThat(
            EndToEnd.eventually(
                () -> !policy(1, "endpoints").run().succeeds().out().contains(lateId(late))))
        .isTrue();
    assertThat(says(watch, "error")).isFalse();
  }

  private String labelledAddress(int node) {
    String out = cluster.node(node).cni("list").run().succeeds().out();
    return Config.json(out).at("/attachments/0/addresses/0").asString().replaceFirst("/.*", "");
  }

  private static String lateId(String netns) {
    Outcome sum = Command.of("sh", "-c", "printf %s \"$0\" | sha512sum | cut -c1-20", netns).run();
    return "cnitool-" + sum.text();
  }

  private Command policy(int node, String... words) {
    List<String> all = new ArrayList<>(List.of("policy"));
    all.addAll(List.of(words));
    all.addAll(List.of("--policy-dir", cluster.node(node).temp().resolve("policy").toString()));
    return cluster.node(node).cni(all.toArray(String[]::new));
  }

  private String labelled(int node, String netns, String labels) {
    Outcome added =
        cluster
            .node(node)
            .cni("add", "net", netns)
            .with("CNI_ARGS", "LABELS=" + labels)
            .run()
            .succeeds();
    return Config.json(added.out()).at("/ips/0/address").asString().replaceFirst("/.*", "");
  }
}

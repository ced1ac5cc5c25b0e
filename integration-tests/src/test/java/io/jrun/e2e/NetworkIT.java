package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Containers with networks, on a network namespace that plays the machine.
@JrunOnly
class NetworkIT extends EndToEnd {
  @SuppressWarnings("NullAway.Init")
  private CniNode node;

  @BeforeEach
  void makeNode() throws IOException {
    node = new CniNode("net-" + tag);
    node.configure(
        "10-own.conflist",
        """
        {"cniVersion":"1.0.0","name":"own","plugins":[{"type":"simplecni","bridge":"own0",
          "ipMasq":true,"ipam":{"subnet":"10.81.0.0/24","dataDir":"@DIR@/leases",
            "dns":{"nameservers":["10.81.0.1"],"domain":"own.example","options":["ndots:2"]}}}]}\
        """);
    node.configure(
        "20-two.conf",
        """
        {"cniVersion":"1.0.0","name":"two","type":"simplecni","bridge":"two0","isDefaultGateway":false,
          "ipam":{"subnet":"10.82.0.0/24","dataDir":"@DIR@/leases"}}\
        """);
  }

  @AfterEach
  void removeNode() throws IOException {
    for (String left : node(List.of("list", "-q")).text().lines().toList()) {
      if (!left.isEmpty()) node(List.of("delete", "--force", left));
    }
    node.close();
  }

  private Outcome node(List<String> words) {
    return node(List.of(), words);
  }

  /// @param by what runs the runtime
  private Outcome node(List<String> by, List<String> words) {
    return nodeCommand(by, words).run();
  }

  private Command nodeCommand(List<String> by, List<String> words) {
    List<String> all = new ArrayList<>(by);
    all.addAll(List.of(RUNTIME.path().toString(), "--root", root.toString()));
    all.addAll(words);
    return node.inside(all.toArray(String[]::new))
        .with("NETCONFPATH", node.temp().resolve("net.d").toString())
        .with("CNI_PATH", node.bin() + ":" + CniNode.REFERENCE);
  }

  private Outcome node(String command, String... flags) throws IOException {
    bundle.write(config);
    List<String> words = new ArrayList<>(List.of(command, "--bundle", bundle.path().toString()));
    words.addAll(List.of(flags));
    words.add(id);
    return node(words);
  }

  /// With /dev/null for what the container keeps, as CRIU saves no files from outside.
  private Outcome quietly(String command, String... flags) throws IOException {
    bundle.write(config);
    List<String> words = new ArrayList<>(List.of(command, "--bundle", bundle.path().toString()));
    words.addAll(List.of(flags));
    words.addAll(List.of("--detach", id));
    return node(
        List.of("sh", "-c", "exec \"$@\" > /dev/null 2> %s/err < /dev/null".formatted(temp), "sh"),
        words);
  }

  private void nothingIsWired() throws IOException {
    assertThat(node.links()).noneMatch(name -> name.startsWith("scni"));
    assertThat(node.inside("sh", "-c", "nft list ruleset | grep -c comment || true").run().text())
        .isEqualTo("0");
    Path results = Path.of("/var/lib/cni/results");
    if (Files.isDirectory(results)) {
      assertThat(results.toFile().list()).noneMatch(name -> name.contains(tag));
    }
  }

  @Test
  void aContainerRunsWithItsNetworksAndLeavesNothing() throws IOException {
    config.sh("ip addr; ip route");
    Outcome outcome = node("run", "--network", "own,two").succeeds();
    assertThat(outcome.out()).contains("10.81.0.2/24", "10.82.0.2/24", "default via 10.81.0.1");
    nothingIsWired();
  }

  @Test
  void anAnnotationDoesTheSame() throws IOException {
    config.set("/annotations", "{\"io.jrun.network\":\"own\"}").sh("ip addr show eth0");
    assertThat(node("run").succeeds().out()).contains("10.81.0.2/24");
    nothingIsWired();
  }

  /// A network whose plugin takes ports; whether it does something for them is not asked here.
  private void networkWithPorts() throws IOException {
    node.configure(
        "30-ports.conf",
        """
        {"cniVersion":"1.0.0","name":"ports","type":"simplecni","bridge":"ports0",
          "capabilities":{"portMappings":true},
          "ipam":{"subnet":"10.83.0.0/24","dataDir":"@DIR@/leases"}}\
        """);
  }

  @Test
  void oneOfTwoThatWantAPortAtOnceGetsIt() throws IOException {
    networkWithPorts();
    config.args("sleep", "1000");
    bundle.write(config);
    for (int round = 0; round < 5; round++) {
      List<String> ids = List.of(newId(), newId());
      List<Command.Running> running = new ArrayList<>();
      for (String one : ids) {
        List<String> words =
            List.of("run", "--detach", "--bundle", bundle.path().toString(), "--network", "ports");
        List<String> all = new ArrayList<>(words);
        all.addAll(List.of("--publish", "8080:80", one));
        running.add(nodeCommand(List.of(), all).start());
      }
      List<Outcome> outcomes = new ArrayList<>();
      for (Command.Running one : running) outcomes.add(one.finish());
      int winner = outcomes.getFirst().status() == 0 ? 0 : 1;
      outcomes.get(winner).succeeds();
      assertThat(outcomes.get(1 - winner).fails().err())
          .contains(
              "port 8080/tcp of the host is published already, by container "
                  + ids.get(winner)
                  + " (8080:80)");
      assertThat(node(List.of("list", "-q")).text()).isEqualTo(ids.get(winner));
      node(List.of("delete", "--force", ids.get(winner))).succeeds();
    }
    nothingIsWired();
  }

  @Test
  void aPortOfTheHostIsOneOfTheContainers() throws IOException {
    networkWithPorts();
    config.args("true");
    for (String twice :
        List.of("8080:80,8080:81", "8080:80,8080:80", "127.0.0.1:8080:80,81:81,8080:82/tcp")) {
      assertThat(node("run", "--network", "ports", "--publish", twice).fails().err())
          .contains("port 8080/tcp of the host is published twice: to 80 and to 8");
      assertThat(node("plan", "--network", "ports", "--publish", twice).fails().err())
          .contains("published twice");
      assertThat(
              node(List.of("sandbox", "run", "--network", "ports", "--publish", twice, newId()))
                  .fails()
                  .err())
          .contains("published twice");
    }
    node("run", "--network", "ports", "--publish", "1:80,2:80,1:80/udp").succeeds();
    nothingIsWired();
  }

  @Test
  void aPortOfTheHostIsPublishedOnce() throws IOException {
    networkWithPorts();
    config.args("true");
    String first = id;
    node("create", "--network", "ports", "--publish", "8080:80,127.0.0.1:53:53/udp").succeeds();
    id = newId();
    for (String taken : List.of("8080:81", "127.0.0.1:8080:80", "81:81,53:1/udp")) {
      assertThat(node("run", "--network", "ports", "--publish", taken).err())
          .contains("of the host is published already, by container " + first);
    }
    assertThat(node(List.of("list", "-q")).text()).isEqualTo(first);
    node("run", "--network", "ports", "--publish", "8080:80/udp,127.0.0.2:53:53/udp").succeeds();
    node(List.of("delete", "--force", first)).succeeds();
    node("run", "--network", "ports", "--publish", "8080:81").succeeds();
    nothingIsWired();
  }

  @Test
  void createdContainersAreWiredUntilTheyAreDeleted() throws IOException {
    config.args("sleep", "1000");
    node("create", "--network", "own").succeeds();
    assertThat(node.ping(3, "10.81.0.2").run().status()).isZero();
    node(List.of("start", id)).succeeds();
    node.ping(3, "10.81.0.2").run().succeeds();
    node(List.of("kill", id, "KILL")).succeeds();
    assertThat(eventually(() -> node(List.of("state", id)).out().contains("stopped"))).isTrue();
    node(List.of("delete", id)).succeeds();
    nothingIsWired();
  }

  /// The reference plugins look into the namespace for the addresses whose rules they remove.
  @Test
  void whatOtherPluginsMasqueradeGoesToo() throws IOException {
    Machine.assumeInstalled("iptables");
    node.configure(
        "30-ptp.conf",
        """
        {"cniVersion":"0.4.0","name":"ptp","type":"ptp","ipMasq":true,
          "ipam":{"type":"host-local","subnet":"10.83.0.0/24","dataDir":"@DIR@/ipam"}}\
        """);
    node.configure(
        "40-bridge.conf",
        """
        {"cniVersion":"0.4.0","name":"bridge","type":"bridge","bridge":"ref0","isGateway":true,"ipMasq":true,
          "ipam":{"type":"host-local","subnet":"10.84.0.0/24","dataDir":"@DIR@/ipam"}}\
        """);
    for (String network : List.of("ptp", "bridge", "own,ptp")) {
      config.sh("ip addr");
      assertThat(node("run", "--network", network).succeeds().out()).contains(" 10.8");
      assertNoRules();
      config.args("sleep", "1000");
      node("run", "--detach", "--network", network).succeeds();
      assertThat(rules()).contains("CNI-");
      node(List.of("delete", "--force", id)).succeeds();
      assertNoRules();
      node("create", "--network", network).succeeds();
      node(List.of("engine", "stop")).succeeds();
      node(List.of("kill", id, "KILL")).succeeds();
      assertThat(eventually(() -> node(List.of("state", id)).out().contains("stopped"))).isTrue();
      node(List.of("delete", id)).succeeds();
      assertNoRules();
      config.args("/nosuch");
      node("run", "--network", network).fails();
      assertNoRules();
    }
  }

  private String rules() {
    return node.inside("iptables", "-t", "nat", "-S").run().out();
  }

  private void assertNoRules() throws IOException {
    assertThat(rules()).doesNotContain("CNI-");
    nothingIsWired();
  }

  @Test
  void deleteUnwiresAlsoWithoutTheEngineThatWired() throws IOException {
    config.args("sleep", "1000");
    node("run", "--detach", "--network", "own").succeeds();
    node(List.of("engine", "stop")).succeeds();
    node(List.of("delete", "--force", id)).succeeds();
    nothingIsWired();
  }

  @Test
  void anEngineOfAnotherNetworkNamespaceWiresNothing() throws IOException {
    config.args("true");
    node("run", "--network", "own").succeeds();
    String engine =
        node.inside("sh", "-c", "awk '/jrun-engine/ {print $8; exit}' /proc/net/unix").run().text();
    bundle.write(config);
    Outcome outcome =
        command("run", "--network", "own", "--bundle", bundle.path().toString(), id)
            .with("JRUN_ENGINE", engine)
            .with("NETCONFPATH", node.temp().resolve("net.d").toString())
            .with("CNI_PATH", node.bin().toString())
            .run();
    assertThat(outcome.status()).isNotZero();
    assertThat(outcome.err()).contains("the engine is of another network namespace");
    assertThat(ids()).isEmpty();
    nothingIsWired();
  }

  @Test
  void aContainerThatFailsWhenItIsWiredLeavesNothing() throws IOException {
    config.args("/no/such/program");
    for (int i = 0; i < 5; i++) {
      Outcome outcome = node("run", "--network", "own");
      assertThat(outcome.status()).isNotZero();
      assertThat(outcome.err()).contains("/no/such/program");
      nothingIsWired();
      assertThat(node(List.of("list", "-q")).text()).isEmpty();
    }
  }

  @Test
  void aNetworkThatFailsLeavesNoContainer() throws IOException {
    config.args("true");
    Outcome outcome = node("run", "--network", "own,none");
    assertThat(outcome.status()).isNotZero();
    assertThat(outcome.err()).contains("no net configuration with name", "none");
    assertThat(node(List.of("list", "-q")).text()).isEmpty();
    nothingIsWired();
    assertThat(node("run", "--publish", "80:80").err())
        .contains("a published port needs a network");
    String nameless = "the name of a network must not be empty";
    for (String names : List.of("", " ", ",own", "own,,two", "own,")) {
      assertThat(node("run", "--network", names).err()).as("%s", names).contains(nameless);
      assertThat(node(List.of("sandbox", "run", "--network", names, id)).err())
          .as("a sandbox with %s", names)
          .contains(nameless);
      config.set("/annotations", "{\"io.jrun.network\":\"" + names + "\"}");
      assertThat(node("run").err()).as("annotation %s", names).contains(nameless);
      config.set("/annotations", "{}");
    }
    assertThat(node("run", "--network", "own", "--network", "").err()).contains(nameless);
    for (String ports : List.of("x", "", "1:1,", "1:1,,2:2")) {
      assertThat(node("run", "--network", "own", "--publish", ports).err())
          .as("%s", ports)
          .contains("invalid published port");
    }
    for (String networks : List.of("own", "own,two")) {
      assertThat(node("run", "--network", networks, "--publish", "8080:80").err())
          .as("a port that no plugin is told of")
          .contains("no plugin of " + networks + " publishes ports", "portMappings");
    }
    assertThat(node(List.of("list", "-q")).text()).isEmpty();
    nothingIsWired();
  }

  @Test
  void namesOfHostsAreWhatTheNetworksSay() throws IOException {
    config.setText("/hostname", "box").sh("cat /etc/hosts /etc/resolv.conf /etc/hostname");
    assertThat(node("run", "--network", "own,two").succeeds().lines())
        .contains("127.0.0.1\tlocalhost", "10.81.0.2\tbox", "10.82.0.2\tbox")
        .containsSubsequence(
            "domain own.example", "nameserver 10.81.0.1", "options ndots:2", "box");
    Path resolv = node.temp().resolve("resolv");
    Files.writeString(resolv, "nameserver 10.9.9.9\n");
    config.mount(
        "{destination:'/etc/resolv.conf',type:'bind',source:'" + resolv + "',options:['bind']}");
    config.sh("cat /etc/resolv.conf; echo x >> /etc/hosts || echo read-only");
    assertThat(node("run", "--network", "own").succeeds().lines())
        .as("its own mount stays, and the root is read-only")
        .containsExactly("nameserver 10.9.9.9", "read-only");
    config.writableRoot().sh("echo '10.0.0.9 nine' >> /etc/hosts; tail -1 /etc/hosts");
    assertThat(node("run", "--network", "own").succeeds().text()).isEqualTo("10.0.0.9 nine");
    assertThat(bundle.rootfs().resolve("etc/hosts")).isEmptyFile();
    nothingIsWired();
  }

  @Test
  void stateAndListShowAddresses() throws IOException {
    config.args("sleep", "1000");
    String plain = id;
    node("run", "--detach").succeeds();
    assertThat(node(List.of("list")).succeeds().out()).doesNotContain("ADDRESSES");
    assertThat(node(List.of("state", plain)).succeeds().out()).doesNotContain("addresses");
    id = newId();
    node("run", "--detach", "--network", "own,two").succeeds();
    assertThat(Config.json(node(List.of("state", id)).succeeds().out()).get("addresses").toString())
        .isEqualTo("[\"10.81.0.2/24\",\"10.82.0.2/24\"]");
    List<String> table = node(List.of("list")).succeeds().lines();
    assertThat(table.getFirst()).matches("ID .* OWNER +ADDRESSES");
    assertThat(table)
        .anyMatch(line -> line.startsWith(id) && line.endsWith("10.81.0.2/24,10.82.0.2/24"));
    for (var one : Config.json(node(List.of("list", "--format", "json")).succeeds().out())) {
      assertThat(one.has("addresses")).isEqualTo(one.get("id").asString().equals(id));
    }
  }

  /// A caller without the environment of the one that made the container.
  @Test
  void deleteFindsThePluginsWhereTheyWere() throws IOException {
    config.args("sleep", "1000");
    node("run", "--detach", "--network", "own").succeeds();
    node.inside(RUNTIME.path().toString(), "--root", root.toString(), "delete", "--force", id)
        .run()
        .succeeds();
    nothingIsWired();
  }

  @Test
  void policiesSelectContainersByTheirAnnotations() throws IOException {
    node.configure(
        "30-pol.conflist",
        """
        {"cniVersion":"1.0.0","name":"pol","plugins":[{"type":"simplecni","bridge":"pol0",
          "policyDir":"@DIR@/policy","ipam":{"subnet":"10.83.0.0/24","dataDir":"@DIR@/leases"}}]}\
        """);
    String policies = node.temp().resolve("policy").toString();
    config
        .set(
            "/annotations",
            "{\"io.jrun.network\":\"pol\",\"io.jrun.labels\":\"app=web\",\"io.jrun.namespace\":\"shop\"}")
        .args("sleep", "1000");
    node("run", "--detach").succeeds();
    String friend = node.container("friend");
    node.cni("add", "pol", friend)
        .with("CNI_ARGS", "K8S_POD_NAMESPACE=shop;LABELS=app=front")
        .run()
        .succeeds();
    String stranger = node.container("stranger");
    node.cni("add", "pol", stranger).run().succeeds();
    node.cni("policy", "apply", "--policy-dir", policies, "-n", "shop", "-f", "-")
        .input(
            """
            {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "web"},
             "spec": {"podSelector": {"matchLabels": {"app": "web"}},
                      "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "front"}}}]}]}}\
            """)
        .run()
        .succeeds();
    CniNode.ping(friend, 3, "10.83.0.2").run().succeeds();
    assertThat(CniNode.ping(stranger, 1, "10.83.0.2").run().status()).isNotZero();
    node(List.of("delete", "--force", id)).succeeds();
    assertThat(node.cni("policy", "endpoints", "--policy-dir", policies).run().succeeds().out())
        .doesNotContain("app=web", "\"web\"");
  }

  /// CRIU saves none of its links, and the files that name hosts go with the saved container.
  @Test
  void aRestoredContainerIsAttachedAnew() throws IOException {
    assumeTrue(CheckpointTest.criuWorks(), CheckpointTest.NO_CRIU);
    config.args("sleep", "1000");
    quietly("run", "--network", "own").succeeds();
    String images = temp.resolve("images").toString();
    node(List.of("checkpoint", "--image-path", images, id)).succeeds();
    nothingIsWired();
    assertThat(quietly("restore", "--network", "own", "--image-path", images).status())
        .as("%s", Files.readString(temp.resolve("err")))
        .isZero();
    String address = state().get("addresses").get(0).asString();
    assertThat(address).startsWith("10.81.0.");
    assertThat(node(List.of("exec", id, "sh", "-c", "ip addr; cat /etc/hosts")).succeeds().out())
        .contains("inet " + address + " ", "\n" + address.replace("/24", "\t"));
    node(List.of("delete", "--force", id)).succeeds();
    nothingIsWired();
  }
}

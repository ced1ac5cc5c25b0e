package io.jrun.e2e;

import static io.jrun.e2e.PolicyNode.document;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Policies and containers that come, go and crash at once.
@JrunOnly
class NetworkPolicyLifeIT {
  private static final String ONLY_CLIENTS =
      "podSelector: {matchLabels: {app: web}}\ningress: [{from: [{podSelector: {matchLabels: {app: client}}}]}]";

  @SuppressWarnings("NullAway.Init")
  private PolicyNode node;

  @BeforeAll
  static void asRoot() throws IOException {
    Machine.assumeRoot();
  }

  @BeforeEach
  void makeNode() throws IOException {
    node = new PolicyNode();
  }

  @AfterEach
  void removeNode() throws IOException {
    node.close();
  }

  private void stopEngine() {
    node.node()
        .inside(RuntimeBinary.underTest().path().toString(), "engine", "stop")
        .run()
        .succeeds();
  }

  private void nft(String... words) {
    List<String> all = new ArrayList<>(List.of("nft"));
    all.addAll(List.of(words));
    node.node().inside(all.toArray(String[]::new)).run().succeeds();
  }

  @Test
  void policiesOutliveAReboot() throws IOException {
    node.apply(document("web", "default", ONLY_CLIENTS)).succeeds();
    stopEngine();
    nft("flush", "ruleset");
    List<String> web = node.container("web", "default", "app=web", "80");
    node.container("client", "default", "app=client");
    node.container("other", "default", "app=other");
    List<String> target = List.of("tcp," + web.getFirst() + ",80", "tcp," + web.getLast() + ",80");
    node.reaches("client", target, List.of());
    node.reaches("other", List.of(), target);
  }

  @Test
  void tablesThatAreNotThePoliciesAreMadeAnewByTheNextCall() throws IOException {
    List<String> web = node.container("web", "default", "app=web", "80");
    node.container("client", "default", "app=client");
    node.apply(document("web", "default", ONLY_CLIENTS)).succeeds();
    List<String> target = List.of("tcp," + web.getFirst() + ",80");
    String client = node.ruleset();
    // ADD after another's flush
    nft("delete", "table", "inet", "simplecni");
    node.container("other", "default", "app=other");
    node.reaches("other", List.of(), target);
    node.reaches("client", target, List.of());
    // DEL after another's flush
    nft("delete", "table", "bridge", "simplecni");
    node.container("more", "default", "app=web");
    node.delete("more");
    node.reaches("other", List.of(), target);
    // an apply that was killed between its tables and its files
    Path file = node.node().temp().resolve("policy/policies/default_web.json");
    Files.createFile(node.node().temp().resolve("policy/changing"));
    Files.writeString(file, Files.readString(file).replace("\"client\"", "\"other\""));
    node.container("third", "default", "app=third");
    node.reaches("other", target, List.of());
    node.reaches("client", List.of(), target);
    // and GC
    nft("delete", "table", "inet", "simplecni");
    nft("delete", "table", "bridge", "simplecni");
    StringBuilder valid = new StringBuilder();
    for (String id : List.of("web", "client", "other")) {
      valid
          .append(valid.isEmpty() ? "" : ",")
          .append("{\"containerID\":\"" + id + "\",\"ifname\":\"eth0\"}");
    }
    node.node()
        .plugin(
            "GC",
            "",
            "",
            node.config().replaceFirst("\\{", "{\"cni.dev/valid-attachments\":[" + valid + "],"))
        .run()
        .succeeds();
    node.reaches("client", List.of(), target);
    assertThat(node.files("endpoints")).hasSize(3);
    assertThat(client).contains(web.getFirst());
  }

  @Test
  void whoLeftWithoutADelIsForgotten() throws IOException {
    List<String> web = node.container("web", "default", "app=web", "80");
    node.container("client", "default", "app=client");
    node.container("other", "default", "app=other");
    node.apply(document("web", "default", ONLY_CLIENTS)).succeeds();
    // the client is gone, its lease reclaimed: its address goes to somebody who may not
    node.node().remove(node.netns("client"));
    Path leases = node.node().temp().resolve("leases/net/leases");
    String text = Files.readString(leases);
    String address = "10.91.0.3";
    assertThat(text).contains("+ " + address + " client");
    Files.writeString(leases, text + "- " + address + "\n- fd91::3\n");
    node.makeNamespace("heir");
    assertThat(
            PolicyNode.addresses(
                node.addCommand("heir", "default", "app=other")
                    .with("CNI_ARGS", "IgnoreUnknown=1;IP=" + address + ";LABELS=app=other")
                    .run()
                    .succeeds()))
        .contains(address);
    node.reaches("heir", List.of(), List.of("tcp," + web.getFirst() + ",80"));
    assertThat(node.policy("show", "web", "--json").out()).contains("\"web\"");
    assertThat(node.files("endpoints")).hasSize(3);
  }

  @Test
  void aFailedAddLeavesNoTrace() throws IOException {
    node.apply(document("web", "default", ONLY_CLIENTS)).succeeds();
    node.makeNamespace("web");
    String unreachable =
        node.config()
            .replace(
                "\"ipam\":{",
                "\"ipam\":{\"routes\":[{\"dst\":\"10.0.0.0/8\",\"gw\":\"192.168.9.9\"}],");
    for (int i = 0; i < 3; i++) {
      assertThat(
              node.node()
                  .plugin("ADD", "web", node.netns("web"), unreachable)
                  .with("CNI_ARGS", "LABELS=app=web")
                  .run()
                  .status())
          .isNotZero();
    }
    assertThat(node.ruleset()).doesNotContain("10.91.0.", "fd91::");
    assertThat(node.selected("web")).isZero();
    node.policy("delete", "web").succeeds();
    node.isClean();
  }

  @Test
  void containersAndPoliciesChangeAtOnce() throws IOException {
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < 24; i++) {
      ids.add("c" + i);
      node.makeNamespace("c" + i);
    }
    List<Command.Running> adds = new ArrayList<>();
    List<Command.Running> applies = new ArrayList<>();
    for (int i = 0; i < ids.size(); i++) {
      Command add = node.addCommand(ids.get(i), "default", i % 2 == 0 ? "app=web" : "app=client");
      // some of them in JVMs of their own
      adds.add((i % 12 == 5 ? add.with("JRUN_ENGINE", "off") : add).start());
      if (i % 4 == 0) {
        applies.add(
            node.policyCommand("apply", "-f", "-")
                .input(document("p" + i % 8, "default", ONLY_CLIENTS))
                .start());
      }
      if (i % 8 == 7) applies.add(node.policyCommand("delete", "p4").start());
    }
    List<String> webs = new ArrayList<>();
    for (int i = 0; i < ids.size(); i++) {
      List<String> addresses = PolicyNode.addresses(adds.get(i).finish().succeeds());
      if (i % 2 == 0) webs.addAll(addresses);
    }
    for (Command.Running one : applies) one.finish();
    node.apply(document("p0", "default", ONLY_CLIENTS)).succeeds();
    assertThat(elements("np_in4") + elements("np_in6"))
        .satisfies(text -> webs.forEach(address -> assertThat(text).contains(address)));
    List<Command.Running> deletes = new ArrayList<>();
    for (int i = 0; i < ids.size(); i++) {
      deletes.add(node.deleteCommand(ids.get(i)).start());
      if (i == 8) applies.add(node.policyCommand("delete", "p0").start());
      if (i == 12) {
        applies.add(
            node.policyCommand("apply", "-f", "-")
                .input(document("p9", "default", "podSelector: {}"))
                .start());
      }
    }
    for (Command.Running one : deletes) one.finish().succeeds();
    for (Command.Running one : applies.subList(applies.size() - 2, applies.size())) one.finish();
    assertThat(node.ruleset()).doesNotContain("10.91.0.", "fd91::", "scni");
    for (String name : List.of("p0", "p4", "p9")) node.policy("delete", name);
    node.isClean();
  }

  private String elements(String set) {
    return node.node()
        .inside("nft", "list", "set", "inet", "simplecni", set)
        .run()
        .succeeds()
        .out();
  }
}

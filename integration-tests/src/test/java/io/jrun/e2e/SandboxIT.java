package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/// `sandbox`, and containers in sandboxes, on a network namespace that plays the machine.
@JrunOnly
class SandboxIT extends EndToEnd {
  @SuppressWarnings("NullAway.Init")
  private CniNode node;

  private String sandbox = tag;

  @BeforeEach
  void makeNode() throws IOException {
    sandbox = tag + "-s";
    node = new CniNode("sbx-" + tag);
    node.configure(
        "10-own.conflist",
        """
        {"cniVersion":"1.0.0","name":"own","plugins":[{"type":"simplecni","bridge":"own0",
          "ipam":{"subnet":"10.83.0.0/24","dataDir":"@DIR@/leases",
          "dns":{"nameservers":["10.83.0.1"],"search":["pods.example"]}}}]}\
        """);
  }

  @AfterEach
  void removeNode() throws IOException {
    for (String left : jrun("sandbox", "list", "-q").text().lines().toList()) {
      if (!left.isEmpty()) jrun("sandbox", "rm", "--force", left);
    }
    node.close();
  }

  private Command command(List<String> words) {
    List<String> all =
        new ArrayList<>(List.of(RUNTIME.path().toString(), "--root", root.toString()));
    all.addAll(words);
    return node.inside(all.toArray(String[]::new))
        .with("NETCONFPATH", node.temp().resolve("net.d").toString())
        .with("CNI_PATH", node.bin() + ":" + CniNode.REFERENCE);
  }

  private Outcome jrun(String... words) {
    return command(List.of(words)).run();
  }

  /// A container of the bundle, in the sandbox.
  private Outcome inSandbox(String command, String name, String... flags) throws IOException {
    bundle.write(config);
    List<String> words = new ArrayList<>(List.of(command, "--bundle", bundle.path().toString()));
    words.addAll(List.of("--sandbox", sandbox));
    words.addAll(List.of(flags));
    words.add(name);
    return command(words).run();
  }

  private String sh(String script) throws IOException {
    config.sh(script);
    return inSandbox("run", newId()).succeeds().text();
  }

  private JsonNode listed() {
    return Config.json(jrun("sandbox", "list", "--format", "json").succeeds().out());
  }

  private void nothingIsLeftOfIt() throws IOException {
    assertThat(jrun("sandbox", "list", "-q").succeeds().out()).isEmpty();
    assertThat(jrun("list", "-q").succeeds().out()).isEmpty();
    assertThat(root.toFile().list()).isEmpty();
    assertThat(cgroups()).isEmpty();
    assertThat(eventually(() -> processes().isEmpty())).as("%s", processes()).isTrue();
    assertThat(node.links()).noneMatch(name -> name.startsWith("scni"));
    Path results = Path.of("/var/lib/cni/results");
    if (Files.isDirectory(results)) {
      assertThat(results.toFile().list()).noneMatch(name -> name.contains(tag));
    }
  }

  @Test
  void containersShareWhatASandboxHas() throws IOException {
    jrun(
            "sandbox",
            "run",
            "--network",
            "own",
            "--hostname",
            "pod",
            "--sysctl",
            "net.ipv4.ip_default_ttl=77",
            "--sysctl",
            "kernel.msgmax=4096",
            sandbox)
        .succeeds();
    config.writableRoot().sh("nc -l -p 80 -e echo hello");
    inSandbox("run", id, "--detach").succeeds();
    assertThat(eventually(() -> jrun("exec", id, "netstat", "-ltn").out().contains(":80")))
        .isTrue();
    assertThat(sh("nc 127.0.0.1 80 </dev/null")).isEqualTo("hello");
    assertThat(sh("hostname; cat /etc/hostname; cat /proc/sys/net/ipv4/ip_default_ttl"))
        .isEqualTo("pod\npod\n77");
    assertThat(sh("cat /proc/sys/kernel/msgmax")).isEqualTo("4096");
    assertThat(sh("ip -4 addr show eth0")).contains("10.83.0.2/24");
    assertThat(sh("cat /etc/hosts")).contains("10.83.0.2\tpod", "127.0.0.1\tlocalhost");
    assertThat(sh("cat /etc/resolv.conf")).isEqualTo("search pods.example\nnameserver 10.83.0.1");
    sh("echo shared > /dev/shm/file");
    assertThat(sh("cat /dev/shm/file")).isEqualTo("shared");
    node.ping(3, "10.83.0.2").run().succeeds();

    assertThat(Config.json(jrun("state", id).succeeds().out()).at("/addresses/0").asString())
        .isEqualTo("10.83.0.2/24");
    JsonNode shown = listed().get(0);
    assertThat(shown.get("name").asString()).isEqualTo(sandbox);
    assertThat(shown.get("addresses").get(0).asString()).isEqualTo("10.83.0.2/24");
    assertThat(shown.get("containers").size()).isEqualTo(1);
    assertThat(jrun("list").succeeds().out()).contains("ADDRESSES", "10.83.0.2/24");
    assertThat(jrun("list", "-q").succeeds().text())
        .as("no sandbox among them")
        .doesNotContain("-s");
    jrun("sandbox", "rm", "--force", sandbox).succeeds();
    nothingIsLeftOfIt();
  }

  @Test
  void policiesSelectASandboxByItsLabels() throws IOException {
    node.configure(
        "20-pol.conflist",
        """
        {"cniVersion":"1.0.0","name":"pol","plugins":[{"type":"simplecni","bridge":"pol0",
          "policyDir":"@DIR@/policy","ipam":{"subnet":"10.84.0.0/24","dataDir":"@DIR@/leases"}}]}\
        """);
    String policies = node.temp().resolve("policy").toString();
    String namespace = "io.jrun.namespace=shop";
    jrun(
            "sandbox",
            "run",
            "--network",
            "pol",
            "--label",
            "app=web",
            "--annotation",
            namespace,
            "--annotation",
            "io.jrun.ports=http:8080/tcp",
            sandbox)
        .succeeds();
    config.sh("while :; do nc -l -p 8080 -e echo hello; done");
    // its own label is nobody's: its network is the sandbox's
    inSandbox("run", id, "--detach", "--label", "app=front").succeeds();
    assertThat(eventually(() -> jrun("exec", id, "netstat", "-ltn").out().contains(":8080")))
        .isTrue();
    node.cni("policy", "apply", "--policy-dir", policies, "-n", "shop", "-f", "-")
        .input(
            PolicyNode.document(
                "web",
                "shop",
                "podSelector: {matchLabels: {app: web}}\npolicyTypes: [Ingress, Egress]\n"
                    + "ingress: [{from: [{podSelector: {matchLabels: {app: front}}}], ports: [{port: http}]}]"))
        .run()
        .succeeds();
    assertThat(node.cni("policy", "endpoints", "--policy-dir", policies).run().text())
        .contains("\"app\": \"web\"")
        .doesNotContain("front");
    config
        .set("/annotations", "{\"io.jrun.labels\":\"app=other,tier=x\"}")
        .sh("nc -w 2 10.84.0.2 8080 </dev/null");
    assertThat(asks(namespace, "--label", "app=front").succeeds().text()).isEqualTo("hello");
    assertThat(asks(namespace).status()).isNotZero();
    assertThat(jrun("exec", id, "nc", "-w", "1", "10.84.0.3", "80").status()).isNotZero();
    jrun("sandbox", "rm", "--force", sandbox).succeeds();
    assertThat(node.cni("policy", "endpoints", "--policy-dir", policies).run().text())
        .isEqualTo("[]");
    nothingIsLeftOfIt();
  }

  /// A container of the bundle on the network with policies.
  private Outcome asks(String namespace, String... flags) throws IOException {
    bundle.write(config);
    List<String> words = new ArrayList<>(List.of("run", "--bundle", bundle.path().toString()));
    words.addAll(List.of("--network", "pol", "--annotation", namespace));
    words.addAll(List.of(flags));
    words.add(newId());
    return command(words).run();
  }

  @Test
  void whatIsInUseIsNotRemovedUnlessForced() throws IOException {
    jrun("sandbox", "run", sandbox).succeeds();
    config.args("sleep", "1000");
    String created = newId();
    inSandbox("run", id, "--detach").succeeds();
    inSandbox("create", created).succeeds();
    assertThat(jrun("sandbox", "rm", sandbox).exits(1).err())
        .contains("is in use", id + " (running)", created + " (created)");
    jrun("delete", "--force", created).succeeds();
    jrun("kill", id, "KILL").succeeds();
    assertThat(eventually(() -> jrun("state", id).out().contains("stopped"))).isTrue();
    jrun("sandbox", "rm", sandbox).succeeds();
    nothingIsLeftOfIt();
  }

  @Test
  void aStoppedSandboxHasNoNetworkAndNoContainersThatRun() throws IOException {
    jrun("sandbox", "run", "--network", "own", sandbox).succeeds();
    config.sh("trap 'exit 0' TERM; while :; do sleep 0.1; done");
    inSandbox("run", id, "--detach").succeeds();
    String deaf = newId();
    config.sh("trap '' TERM; while :; do sleep 0.1; done");
    inSandbox("run", deaf, "--detach").succeeds();
    jrun("sandbox", "stop", "--time", "1", sandbox).succeeds();
    for (String name : List.of(id, deaf)) {
      assertThat(jrun("state", name).succeeds().out()).contains("\"stopped\"");
    }
    assertThat(node.links()).noneMatch(name -> name.startsWith("scni"));
    assertThat(listed().get(0).get("status").asString()).isEqualTo("stopped");
    assertThat(inSandbox("run", newId()).exits(1).err()).contains("is not running");
    jrun("sandbox", "stop", sandbox).succeeds();
    jrun("sandbox", "rm", sandbox).succeeds();
    nothingIsLeftOfIt();
  }

  @Test
  void aSandboxWhosePauseProcessWasKilledIsListedAndRemoved() throws IOException {
    jrun("sandbox", "run", "--network", "own", sandbox).succeeds();
    config.args("sleep", "1000");
    inSandbox("run", id, "--detach").succeeds();
    long pid = listed().get(0).get("pid").asLong();
    ProcessHandle.of(pid).orElseThrow().destroyForcibly();
    assertThat(eventually(() -> listed().get(0).get("status").asString().equals("stopped")))
        .isTrue();
    assertThat(inSandbox("run", newId()).exits(1).err()).contains("is not running");
    jrun("exec", id, "true").succeeds();
    jrun("engine", "stop").succeeds();
    jrun("sandbox", "rm", "--force", sandbox).succeeds();
    nothingIsLeftOfIt();
  }

  @Test
  void aSharedPidNamespaceHasAFirstProcessThatReaps() throws IOException {
    jrun("sandbox", "run", "--share", "+pid", sandbox).succeeds();
    config.args("sleep", "1000");
    inSandbox("run", id, "--detach").succeeds();
    assertThat(sh("ps -o pid,args | grep -c 'sleep 100[0]'")).isEqualTo("1");
    // orphans of one container are children of the pause process, which has nothing of the host
    assertThat(sh("(sleep 0.2 &); sleep 0.6; ps -o stat | grep -c Z; true")).isEqualTo("0");
    assertThat(sh("ls /proc/1/root/ 2>/dev/null; readlink /proc/1/fd/0; true"))
        .doesNotContain("home");
    assertThat(jrun("exec", id, "sh", "-c", "echo $$").succeeds().text()).isNotEqualTo("1");
    jrun("kill", id, "KILL").succeeds();
    assertThat(eventually(() -> jrun("state", id).out().contains("stopped"))).isTrue();
    // also what its init has left in it
    String second = newId();
    config.sh("sleep 1000 & exec sleep 1000");
    inSandbox("run", second, "--detach").succeeds();
    jrun("delete", "--force", second).succeeds();
    assertThat(sh("ps -o args | grep -c 'sleep 100[0]'; true")).isEqualTo("0");
    jrun("sandbox", "rm", sandbox).succeeds();
    nothingIsLeftOfIt();
  }

  @Test
  void theAnnotationDoesTheSameAndAUserNamespaceJoinsToo() throws IOException {
    jrun("sandbox", "run", "--hostname", "pod", sandbox).succeeds();
    config
        .set("/annotations", "{'io.jrun.sandbox':'" + sandbox + "'}")
        .set("/linux/namespaces/-", "{type:'user'}")
        .set("/linux/uidMappings", "[{containerID:0,hostID:100000,size:1000}]")
        .set("/linux/gidMappings", "[{containerID:0,hostID:100000,size:1000}]");
    // these file systems are for the owner of the network and the ipc namespace
    for (int i = config.at("/mounts").size() - 1; i >= 0; i--) {
      if (config.at("/mounts/" + i + "/destination").asString().matches("/sys.*|.*mqueue")) {
        ((tools.jackson.databind.node.ArrayNode) config.at("/mounts")).remove(i);
      }
    }
    Files.setPosixFilePermissions(
        bundle.path(), java.nio.file.attribute.PosixFilePermissions.fromString("rwxr-xr-x"));
    // where its root cannot make a place for one of the files, it is passed over
    Files.createFile(bundle.rootfs().resolve("etc/hosts"));
    config.sh("hostname; cat /etc/hosts | head -1; echo x > /dev/shm/x && cat /dev/shm/x");
    bundle.write(config);
    assertThat(jrun("run", "--bundle", bundle.path().toString(), id).succeeds().lines())
        .containsExactly("pod", "127.0.0.1\tlocalhost", "x");
    jrun("sandbox", "rm", sandbox).succeeds();
    nothingIsLeftOfIt();
  }

  @Test
  void itHoldsNothingOfItsCaller() throws IOException {
    Outcome piped =
        node.inside(
                "sh",
                "-c",
                "%s --root %s sandbox run %s | cat".formatted(RUNTIME.path(), root, sandbox))
            .run();
    assertThat(piped.succeeds().out()).isEmpty();
    long pid = listed().get(0).get("pid").asLong();
    assertThat(Path.of("/proc/" + pid + "/fd")).isEmptyDirectory();
    assertThat(Files.readString(Path.of("/proc/" + pid + "/status")))
        .containsPattern("CapEff:\\s*0{16}")
        .containsPattern("CapBnd:\\s*0{16}")
        .containsPattern("NoNewPrivs:\\s*1");
    assertThat(Path.of("/proc/" + pid + "/root").toFile().list()).containsOnly("dev");
    jrun("sandbox", "rm", sandbox).succeeds();
  }

  /// It would end, and no `restore` could join the sandbox again.
  @Test
  void whatIsInASandboxIsNotSaved() throws IOException {
    config.args("sleep", "1000");
    jrun("sandbox", "run", sandbox).succeeds();
    inSandbox("run", id, "--detach").succeeds();
    for (String name : List.of(id, sandbox))
      jrun("checkpoint", "--image-path", temp.resolve("images").toString(), name)
          .failsInOneLine("in a sandbox cannot be restored");
    assertThat(jrun("state", id).succeeds().out()).contains("running");
    config.set("/annotations", "{'io.jrun.sandbox':'%s'}".formatted(sandbox));
    bundle.write(config);
    jrun("restore", "--bundle", bundle.path().toString(), "--image-path", "/", newId())
        .failsInOneLine("cannot restore a container of a sandbox");
    jrun("sandbox", "rm", "--force", sandbox).succeeds();
  }

  @Test
  void mistakesAreToldByName() throws IOException {
    config.args("true");
    inSandbox("run", id).failsInOneLine("sandbox " + sandbox + " does not exist");
    jrun("sandbox", "rm", sandbox).failsInOneLine("does not exist");
    jrun("sandbox", "rm", "--force", sandbox).succeeds();
    jrun("sandbox", "run", "--share", "ipc", sandbox).failsInOneLine("a sandbox shares net");
    jrun("sandbox", "run", "--share", "mnt", sandbox).failsInOneLine("cannot share");
    jrun("sandbox", "run", "--sysctl", "vm.swappiness=1", sandbox).failsInOneLine("vm.swappiness");
    jrun("sandbox", "run", "--network", "none", sandbox)
        .failsInOneLine("no net configuration with name");
    jrun("sandbox", "run", "--sysctl", "net.ipv4.no_such=1", sandbox).failsInOneLine("no_such");
    assertThat(root.toFile().list()).isEmpty();
    jrun("sandbox", "run", sandbox).succeeds();
    jrun("sandbox", "run", sandbox).failsInOneLine("already exists");
    jrun("delete", "--force", sandbox).failsInOneLine("is a sandbox");
    inSandbox("run", id, "--network", "own").failsInOneLine("has the networks of its sandbox");
    config.set("/linux/namespaces/-", "{type:'time'}");
    assertThat(sh("echo also with another namespace")).contains("also");
    config.namespaces("pid", "mount").remove("", "hostname");
    assertThat(sh("hostname")).isEqualTo(sandbox);
    config.set("/linux/namespaces/-", "{type:'network',path:'/proc/1/ns/net'}");
    inSandbox("run", id).failsInOneLine("the network namespace is that of sandbox");
    config.namespaces("pid", "mount", "network").args("sleep", "1000");
    bundle.write(config);
    jrun("run", "--detach", "--bundle", bundle.path().toString(), id).succeeds();
    jrun("sandbox", "rm", "--force", id).failsInOneLine("is a container, not a sandbox");
    sandbox = id;
    inSandbox("run", newId()).failsInOneLine("is not a sandbox");
    jrun("delete", "--force", id).succeeds();
  }

  @Test
  void joiningAndRemovingAtOnceLeavesNothing() throws IOException {
    config.args("true");
    bundle.write(config);
    for (int round = 0; round < 6; round++) {
      jrun("sandbox", "run", sandbox).succeeds();
      List<Command.Running> running = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        running.add(
            command(
                    List.of(
                        "run", "--bundle", bundle.path().toString(), "--sandbox", sandbox, newId()))
                .start());
        if (i == 2) running.add(command(List.of("sandbox", "rm", "--force", sandbox)).start());
      }
      for (Command.Running one : running) {
        Outcome outcome = one.finish();
        if (outcome.command().contains("rm")) outcome.succeeds();
        else if (outcome.status() != 0 && outcome.status() != 137)
          assertThat(outcome.err().lines().toList()).as("%s", outcome).hasSize(1);
      }
      nothingIsLeftOfIt();
    }
  }
}

package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import tools.jackson.databind.JsonNode;

/// What the tests of pods share: a client of containerd's CRI, pods and containers to edit, and
/// afterwards the proof that no pod is left.
abstract class CriTest extends ContainerdTest {
  static final String BRIDGE =
      """
      {"cniVersion":"0.4.0","name":"node","plugins":[
        {"type":"bridge","bridge":"cri0","isGateway":true,"ipMasq":false,
         "ipam":{"type":"host-local","subnet":"10.88.0.0/24","dataDir":"@DIR@/leases"}},
        {"type":"portmap","capabilities":{"portMappings":true}}]}\
      """;

  static final String SIMPLECNI =
      """
      {"cniVersion":"0.4.0","name":"node","plugins":[
        {"type":"simplecni","bridge":"cri0","subnet":"10.88.0.0/24","ipMasq":true,
         "ipam":{"dataDir":"@DIR@/leases"}},
        {"type":"portmap","capabilities":{"portMappings":true}}]}\
      """;

  @SuppressWarnings("NullAway.Init")
  CriClient cri;

  private int pods;

  @Override
  String network() {
    return BRIDGE;
  }

  @BeforeAll
  final void connect() {
    cri = new CriClient(containerd.socket());
    assertThat(EndToEnd.eventually(this::networkIsReady)).as(containerd::logText).isTrue();
  }

  private boolean networkIsReady() {
    JsonNode status;
    try {
      status = cri.call("Status", "{}");
    } catch (StatusRuntimeException e) {
      return false; // it is still finding out what runs
    }
    for (JsonNode condition : status.at("/status/conditions"))
      if (condition.get("type").asString().endsWith("Ready")
          && !condition.get("status").asBoolean()) return false; // others are warnings
    return true;
  }

  @AfterAll
  final void disconnect() {
    if (cri != null) cri.close();
  }

  @AfterEach
  final void noPodIsLeft() throws IOException {
    List<String> left = new ArrayList<>();
    for (JsonNode pod : cri.call("ListPodSandbox", "{}").at("/items")) {
      try {
        removePod(pod.get("id").asString());
      } catch (StatusRuntimeException e) {
        left.add("pod " + pod + ": " + e.getMessage());
      }
    }
    for (JsonNode container : cri.call("ListContainers", "{}").at("/containers"))
      left.add("container " + container);
    for (String task : containerd.ctrIn("k8s.io", "tasks", "ls", "-q").run().succeeds().lines())
      left.add("task " + task);
    leftovers(left);
    assertThat(left).as("left after the test").isEmpty();
  }

  /// A pod's configuration: a network of its own, its cgroup below the tag's.
  final Config podConfig() {
    String name = "p" + pods++;
    return Config.parse(
        """
        {metadata:{name:'%s',uid:'%s',namespace:'default'},hostname:'host-%s',log_directory:'%s',
         linux:{cgroup_parent:'/%s',security_context:{namespace_options:{pid:'CONTAINER'}}}}\
        """
            .formatted(
                name,
                containerd.tag() + name,
                name,
                containerd.temp().resolve("logs").resolve(name),
                containerd.tag()));
  }

  /// The handler of [#run]; empty for the default. `-Djrun.handler=sandboxed` runs any test with
  /// pods whose sandboxes the shim makes.
  String handler() {
    return System.getProperty("jrun.handler", "");
  }

  final Pod run(Config config) {
    return run(config, handler());
  }

  /// @param handler as a RuntimeClass names it; empty for the default
  final Pod run(Config config, String handler) {
    JsonNode answer =
        cri.call(
            "RunPodSandbox", "{config:" + config.text() + ",runtime_handler:'" + handler + "'}");
    return new Pod(answer.get("pod_sandbox_id").asString(), config);
  }

  final void removePod(String id) {
    cri.call("StopPodSandbox", "{pod_sandbox_id:'" + id + "'}");
    cri.call("RemovePodSandbox", "{pod_sandbox_id:'" + id + "'}");
  }

  static String text(JsonNode bytes) {
    return new String(Base64.getDecoder().decode(bytes.asString()), StandardCharsets.UTF_8);
  }

  /// A running sandbox.
  final class Pod {
    final String id;
    final Config config;

    Pod(String id, Config config) {
      this.id = id;
      this.config = config;
    }

    JsonNode status() {
      return cri.call("PodSandboxStatus", "{pod_sandbox_id:'" + id + "'}").get("status");
    }

    String ip() {
      return status().at("/network/ip").asString();
    }

    /// The process that keeps the namespaces.
    long pid() {
      JsonNode info =
          cri.call("PodSandboxStatus", "{pod_sandbox_id:'" + id + "',verbose:true}").get("info");
      return Config.json(info.get("info").asString()).get("pid").asLong();
    }

    void stop() {
      cri.call("StopPodSandbox", "{pod_sandbox_id:'" + id + "'}");
    }

    /// A container's configuration, which the test may edit before [#create].
    Config containerConfig(String name, String... command) {
      Config container =
          Config.parse(
              """
              {metadata:{name:'%s'},image:{image:'%s'},log_path:'%s.log',envs:[{key:'NAME',value:'%s'}],command:[],
               linux:{resources:{oom_score_adj:500},
                 security_context:{namespace_options:{pid:'CONTAINER'}}}}\
              """
                  .formatted(name, Containerd.IMAGE, name, name));
      for (String word : command) container.setText("/command/-", word);
      return container;
    }

    Container create(Config container) {
      JsonNode answer =
          cri.call(
              "CreateContainer",
              "{pod_sandbox_id:'%s',config:%s,sandbox_config:%s}"
                  .formatted(id, container.text(), config.text()));
      return new Container(answer.get("container_id").asString(), this, container);
    }

    Container start(Config container) {
      return create(container).start();
    }

    Container start(String name, String... command) {
      return start(containerConfig(name, command));
    }
  }

  /// A container of a pod.
  final class Container {
    final String id;
    private final Pod pod;
    private final Config config;

    Container(String id, Pod pod, Config config) {
      this.id = id;
      this.pod = pod;
      this.config = config;
    }

    Container start() {
      cri.call("StartContainer", reference());
      return this;
    }

    String reference() {
      return "{container_id:'" + id + "'}";
    }

    JsonNode status() {
      return cri.call("ContainerStatus", reference()).get("status");
    }

    /// Its init, as the host numbers it.
    long pid() {
      JsonNode info =
          cri.call("ContainerStatus", "{container_id:'" + id + "',verbose:true}").get("info");
      return Config.json(info.get("info").asString()).get("pid").asLong();
    }

    void awaitExit() {
      assertThat(
              EndToEnd.eventually(
                  () -> status().at("/state").asString().equals("CONTAINER_EXITED")))
          .as("%s", status())
          .isTrue();
    }

    Outcome exec(String... words) {
      return exec(0, words);
    }

    /// ExecSync, as a probe of the kubelet does it.
    Outcome exec(int timeoutSeconds, String... words) {
      Config request =
          Config.parse("{container_id:'" + id + "',timeout:" + timeoutSeconds + ",cmd:[]}");
      for (String word : words) request.setText("/cmd/-", word);
      JsonNode answer = cri.call("ExecSync", request.text());
      return new Outcome(
          List.of(words),
          answer.get("exit_code").asInt(),
          text(answer.get("stdout")),
          text(answer.get("stderr")));
    }

    String sh(String script) {
      return exec("sh", "-c", script).succeeds().text();
    }

    /// @param seconds how long it may take to end by itself
    void stop(int seconds) {
      cri.call("StopContainer", "{container_id:'" + id + "',timeout:" + seconds + "}");
    }

    void remove() {
      cri.call("RemoveContainer", reference());
    }

    Path log() {
      return Path.of(pod.config.at("/log_directory").asString(), config.at("/log_path").asString());
    }

    /// The lines of the log without their times: `stdout F text`.
    List<String> logLines() {
      try {
        return Files.readAllLines(log()).stream()
            .map(line -> line.substring(line.indexOf(' ') + 1))
            .toList();
      } catch (IOException e) {
        return List.of();
      }
    }
  }
}

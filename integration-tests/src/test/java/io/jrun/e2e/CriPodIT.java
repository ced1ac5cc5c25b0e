package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/// The life of pods as the kubelet drives it.
class CriPodIT extends CriTest {

  @Test
  void containersOfAPodSeeEachOther() {
    Pod pod = run(podConfig());
    assertThat(pod.status().get("state").asString()).isEqualTo("SANDBOX_READY");
    assertThat(pod.ip()).startsWith("10.88.0.");
    Container server =
        pod.start("server", "sh", "-c", "while :; do echo from-$NAME | nc -l -p 8080; done");
    Container client = pod.start("client", "sleep", "1000");
    assertThat(
            EndToEnd.eventually(() ->
                client
                    .exec("sh", "-c", "nc -w 2 127.0.0.1 8080 </dev/null")
                    .text()
                    .equals("from-server")))
        .isTrue();
    assertThat(client.sh("hostname")).isEqualTo(pod.config.at("/hostname").asString());
    server.sh("echo shared > /dev/shm/file");
    assertThat(client.sh("cat /dev/shm/file")).isEqualTo("shared");
    assertThat(client.sh("ip -o -4 addr show eth0")).contains(pod.ip());
    assertThat(client.sh("ls /proc | grep -c '^[0-9]*$'")).as("its own processes").isLessThan("5");
    client.stop(0);
    client.remove();
    assertThat(server.status().get("state").asString()).isEqualTo("CONTAINER_RUNNING");
    removePod(pod.id);
  }

  @Test
  void aContainersEndIsReported() {
    Pod pod = run(podConfig());
    Container container = pod.start("short", "sh", "-c", "exit 7");
    container.awaitExit();
    JsonNode status = container.status();
    assertThat(status.get("exit_code").asInt()).isEqualTo(7);
    assertThat(status.get("reason").asString()).isEqualTo("Error");
    assertThat(status.get("finished_at").asLong()).isPositive();
    Container well = pod.start("well", "true");
    well.awaitExit();
    assertThat(well.status().get("reason").asString()).isEqualTo("Completed");
  }

  @Test
  void whatRunsOutOfMemoryIsCalledSo() {
    Pod pod = run(podConfig());
    Container container =
        pod.start(
            pod.containerConfig("hungry", "dd", "if=/dev/zero", "of=/dev/null", "bs=64M")
                .set("/linux/resources/memory_limit_in_bytes", "16777216"));
    container.awaitExit();
    assertThat(container.status().get("exit_code").asInt()).isEqualTo(137);
    boolean called =
        EndToEnd.eventually(() -> container.status().get("reason").asString().equals("OOMKilled"));
    assumeTrue(
        called || Containerd.isJrun(), "runc's shim wants every v1 controller to be mounted");
    assertThat(called).as("%s", container.status()).isTrue();
  }

  @Test
  void aProgramThatIsNotThereFailsTheStart() {
    Pod pod = run(podConfig());
    Container container = pod.create(pod.containerConfig("absent", "/no/such/program"));
    assertThatThrownBy(container::start)
        .isInstanceOf(StatusRuntimeException.class)
        .hasMessageContaining("/no/such/program");
    container.awaitExit();
    assertThat(container.status().get("exit_code").asInt()).isEqualTo(128);
    container.remove();
    pod.start("present", "sleep", "1000").sh("true");
  }

  @Test
  void logsAreWrittenAndRotated() throws IOException {
    Pod pod = run(podConfig());
    Container container =
        pod.start(
            "talker",
            "sh",
            "-c",
            "echo one; echo two >&2; until test -e /go; do sleep 0.1; done; echo three; sleep 1000");
    assertThat(EndToEnd.eventually(() -> container.logLines().size() == 2)).isTrue();
    assertThat(container.logLines()).containsExactlyInAnyOrder("stdout F one", "stderr F two");
    Path old = container.log().resolveSibling("old.log");
    Files.move(container.log(), old);
    cri.call("ReopenContainerLog", container.reference());
    container.sh("touch /go");
    assertThat(EndToEnd.eventually(() -> container.logLines().contains("stdout F three"))).isTrue();
    assertThat(Files.readAllLines(old)).hasSize(2);
  }

  /// containerd 1.6 lets the FIFO of a container that ends go with what is still in it, the last 64
  /// KiB, in every second run and with runc's shim too; so there the container stays.
  @Test
  void aLongLogIsWhole() {
    Pod pod = run(podConfig());
    String stays = ContainerdRelease.underTest().isBefore17() ? "; sleep 1000" : "";
    Container container = pod.start("long", "sh", "-c", "seq 1 50000" + stays);
    if (stays.isEmpty()) container.awaitExit();
    List<String> expected = new ArrayList<>();
    for (int i = 1; i <= 50000; i++) expected.add("stdout F " + i);
    assertThat(EndToEnd.eventually(() -> container.logLines().size() >= 50000))
        .as("%d lines", container.logLines().size())
        .isTrue();
    assertThat(container.logLines().equals(expected)).isTrue();
  }

  @Test
  void probesTellTheirOutputAndStatus() {
    Pod pod = run(podConfig());
    Container container = pod.start("probed", "sleep", "1000");
    Outcome outcome = container.exec("sh", "-c", "echo out; echo err >&2; exit 9");
    assertThat(outcome.exits(9).out()).isEqualTo("out\n");
    assertThat(outcome.err()).isEqualTo("err\n");
    assertThat(container.exec("seq", "1", "20000").succeeds().lines()).hasSize(20000);
    assertThatThrownBy(() -> container.exec("/no/such/probe"))
        .isInstanceOf(StatusRuntimeException.class)
        .hasMessageContaining("/no/such/probe");
  }

  @Test
  void aProbeThatTakesTooLongIsKilled() {
    Pod pod = run(podConfig());
    Container container = pod.start("probed", "sleep", "1000");
    assertThatThrownBy(() -> container.exec(1, "sleep", "555"))
        .isInstanceOfSatisfying(
            StatusRuntimeException.class,
            e ->
                assertThat(e.getStatus().getCode())
                    .isIn(Status.Code.DEADLINE_EXCEEDED, Status.Code.UNKNOWN));
    assertThat(container.sh("ps -o args")).doesNotContain("sleep 555");
  }

  @Test
  void stoppingWaitsForTheGraceAndNoLonger() {
    Pod pod = run(podConfig());
    Container willing =
        pod.start(
            "willing",
            "sh",
            "-c",
            "trap 'echo bye; exit 3' TERM; touch /ready; while :; do sleep 0.1; done");
    Container stubborn =
        pod.start(
            "stubborn", "sh", "-c", "trap '' TERM; touch /ready; while :; do sleep 0.1; done");
    for (Container each : List.of(willing, stubborn))
      assertThat(EndToEnd.eventually(() -> each.exec("test", "-e", "/ready").status() == 0))
          .isTrue();
    willing.stop(30);
    assertThat(willing.status().get("exit_code").asInt()).isEqualTo(3);
    assertThat(EndToEnd.eventually(() -> willing.logLines().contains("stdout F bye"))).isTrue();
    stubborn.stop(1);
    assertThat(stubborn.status().get("exit_code").asInt()).isEqualTo(137);
  }

  @Test
  void theImagesStopSignalIsSent() {
    Pod pod = run(podConfig());
    Container container =
        pod.start(
            pod.containerConfig(
                    "signalled",
                    "sh",
                    "-c",
                    "trap 'exit 5' USR1; touch /ready; while :; do sleep 0.1; done")
                .setText("/image/image", Containerd.STOPPED_BY_USR1));
    assertThat(EndToEnd.eventually(() -> container.exec("test", "-e", "/ready").status() == 0))
        .isTrue();
    container.stop(30);
    assertThat(container.status().get("exit_code").asInt()).isEqualTo(5);
  }

  @Test
  void stoppingThePodEndsItsContainers() {
    Pod pod = run(podConfig());
    Container one = pod.start("one", "sleep", "1000");
    Container two = pod.start("two", "sleep", "1000");
    pod.stop();
    for (Container each : List.of(one, two)) {
      each.awaitExit();
      assertThat(each.status().get("exit_code").asInt()).isEqualTo(137);
    }
    assertThat(pod.status().get("state").asString()).isEqualTo("SANDBOX_NOTREADY");
  }

  @Test
  void aPodWhosePauseDiesIsNotReady() {
    Pod pod = run(podConfig());
    ProcessHandle.of(pod.pid()).orElseThrow().destroyForcibly();
    assertThat(
            EndToEnd.eventually(
                () -> pod.status().get("state").asString().equals("SANDBOX_NOTREADY")))
        .isTrue();
  }

  @Test
  void statisticsOfContainerAndPod() {
    Pod pod = run(podConfig());
    Container container =
        pod.start(
            "busy", "sh", "-c", "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; sleep 1000");
    JsonNode stats;
    try {
      assertThat(
              EndToEnd.eventually(() ->
                  cri.call("ContainerStats", container.reference())
                          .at("/stats/cpu/usage_core_nano_seconds/value")
                          .asLong()
                      > 0))
          .isTrue();
      stats = cri.call("ContainerStats", container.reference()).get("stats");
    } catch (StatusRuntimeException e) {
      assumeTrue(Containerd.isJrun(), "runc's shim wants every v1 controller to be mounted");
      throw e;
    }
    assertThat(stats.at("/memory/working_set_bytes/value").asLong()).isPositive();
    assertThat(stats.at("/memory/usage_bytes/value").asLong()).isPositive();
    JsonNode linux =
        cri.call("PodSandboxStats", "{pod_sandbox_id:'" + pod.id + "'}").at("/stats/linux");
    assertThat(linux.at("/containers")).hasSize(1);
  }

  @Test
  void aPortOfTheNodeLeadsIn() {
    Config config =
        podConfig().set("/port_mappings", "[{protocol:0,container_port:8080,host_port:18080}]");
    Pod pod = run(config);
    pod.start("server", "sh", "-c", "while :; do echo reached | nc -l -p 8080; done");
    assertThat(
            EndToEnd.eventually(() ->
                containerd
                    .inside("busybox", "nc", "-w", "2", "10.88.0.1", "18080")
                    .run()
                    .text()
                    .equals("reached")))
        .isTrue();
  }
}

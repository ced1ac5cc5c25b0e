package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/// The life of pods whose sandbox is the shim's own pause process, with `sandboxer = "shim"`.
@JrunOnly
@NeedsContainerd2
class CriSandboxerPodIT extends CriPodIT {
  @Override
  String handler() {
    return Containerd.SANDBOXED;
  }

  private List<String> listed(String... words) {
    return containerd.ctrIn("k8s.io", words).run().succeeds().lines();
  }

  @Test
  void thePauseIsNoContainer() {
    Pod pod = run(podConfig());
    for (String kind : List.of("containers", "tasks"))
      assertThat(listed(kind, "ls", "-q")).as(kind).isEmpty();
    assertThat(listed("snapshots", "ls")).noneMatch(line -> line.startsWith(pod.id));
    assertThat(listed("sandboxes", "ls")).anyMatch(line -> line.startsWith(pod.id));
    String keepers = "^[0-9]+ .*containerd-shim-jrun-v2 .*-id " + pod.id + ".*";
    assertThat(containerd.shims()).anyMatch(line -> line.matches(keepers));
  }

  @Test
  void theFilesThatNameHostsAreThePods() {
    Config config =
        podConfig()
            .set(
                "/dns_config",
                "{servers:['192.0.2.53','192.0.2.54'],searches:['a.example','b.example'],options:['ndots:5']}");
    Pod pod = run(config);
    Container container = pod.start("c", "sleep", "1000");
    assertThat(container.sh("cat /etc/resolv.conf"))
        .isEqualTo(
            "search a.example b.example\nnameserver 192.0.2.53\nnameserver 192.0.2.54\noptions ndots:5");
    assertThat(container.sh("cat /etc/hostname; hostname"))
        .isEqualTo(config.at("/hostname").asString() + "\n" + config.at("/hostname").asString());
    assertThat(container.sh("cat /etc/hosts")).contains("127.0.0.1");
    container.sh("echo more >> /etc/hosts");
    assertThat(pod.start("d", "sleep", "1000").sh("tail -n 1 /etc/hosts")).isEqualTo("more");
  }

  /// As the kubelet has it: its own file is mounted, and the runtime's is not.
  @Test
  void aMountOfTheKubeletsIsKept() throws IOException {
    Path hosts = Files.writeString(containerd.temp().resolve("kubelets-hosts"), "192.0.2.1 own\n");
    Pod pod = run(podConfig());
    Config config =
        pod.containerConfig("c", "sleep", "1000")
            .set(
                "/mounts",
                "[{container_path:'/etc/hosts',host_path:'%s'},{container_path:'/dev/shm',host_path:'%s'}]"
                    .formatted(hosts, containerd.temp().resolve("logs")));
    Container container = pod.start(config);
    assertThat(container.sh("cat /etc/hosts")).isEqualTo("192.0.2.1 own");
    assertThat(container.sh("ls /dev/shm")).contains(pod.config.at("/metadata/name").asString());
  }

  private static boolean isNotReady(Pod pod) {
    try {
      return pod.status().get("state").asString().equals("SANDBOX_NOTREADY");
    } catch (StatusRuntimeException e) {
      return false; // the connection is closed, and containerd has not come to that yet
    }
  }

  /// Not even what outlives engines is needed to be rid of a pod.
  @Test
  void aPodWhoseKeeperDiesIsRemoved() {
    Pod pod = run(podConfig());
    Container container = pod.start("c", "sleep", "1000");
    long pause = pod.pid();
    String keeper =
        containerd.shims().stream().filter(line -> line.contains(pod.id)).findFirst().orElseThrow();
    ProcessHandle.of(Long.parseLong(keeper.split(" ")[0])).orElseThrow().destroyForcibly();
    assertThat(EndToEnd.eventually(() -> isNotReady(pod))).isTrue();
    container.awaitExit();
    assertThat(EndToEnd.eventually(() -> !EndToEnd.runs(pause))).isTrue();
    removePod(pod.id);
  }
}

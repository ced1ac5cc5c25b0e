package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/// runc's options of a handler in containerd's configuration, in whatever way they reach the shim.
class CriOptionsIT extends CriTest {
  private Config podInASlice() {
    return podConfig()
        .setText("/linux/cgroup_parent", "/" + containerd.tag().replace('-', '_') + ".slice");
  }

  private static String unit(String id) {
    return "cri-containerd-" + id + ".scope";
  }

  private static String cgroup(long pid) throws IOException {
    return Files.readString(Path.of("/proc/" + pid + "/cgroup"));
  }

  @Test
  void thePodsCgroupsAreScopes() throws IOException {
    assumeTrue(SystemdTest.isSystemd(), "needs systemd as PID 1 (make vm-test)");
    Config config = podInASlice();
    String slice = config.at("/linux/cgroup_parent").asString();
    Pod pod = run(config, Containerd.SYSTEMD);
    assertThat(cgroup(pod.pid())).contains(slice + "/" + unit(pod.id));
    Container container =
        pod.start(
            pod.containerConfig("c", "sleep", "1000")
                .set("/linux/resources/memory_limit_in_bytes", "67108864"));
    assertThat(cgroup(container.pid())).contains(slice + "/" + unit(container.id));
    assertThat(SystemdTest.show(unit(container.id)))
        .containsEntry("ActiveState", "active")
        .containsEntry(CgroupHierarchies.isV2Alone() ? "MemoryMax" : "MemoryLimit", "67108864");
    container.sh("true");
    removePod(pod.id);
    for (String id : List.of(pod.id, container.id))
      assertThat(SystemdTest.show(unit(id))).containsEntry("LoadState", "not-found");
    Command.of("systemctl", "stop", slice.substring(1)).run(); // which systemd made around them
  }

  @Test
  void theLackOfSystemdIsNamed() {
    assumeFalse(SystemdTest.isSystemd(), "systemd is PID 1");
    assertThatThrownBy(() -> run(podInASlice(), Containerd.SYSTEMD))
        .hasMessageContaining(
            Containerd.isJrun() ? "systemd does not run here" : "systemd not running");
  }

  @Test
  void theStreamsBelongToWhomTheOptionsName() {
    Pod pod = run(podConfig(), Containerd.OWNED);
    // runc's init then gives them to the program's user also where that is root, who needs it not
    String expected = (Containerd.isJrun() ? "1234" : "0") + ":2345";
    String owners = "for i in 1 2; do stat -L -c %u:%g /proc/self/fd/$i; done";
    Container container = pod.start("c", "sh", "-c", owners + "; sleep 1000");
    assertThat(EndToEnd.eventually(() -> container.logLines().size() == 2)).isTrue();
    assertThat(container.logLines()).containsOnly("stdout F " + expected);
    assertThat(container.sh(owners)).isEqualTo(expected + "\n" + expected);
    container.stop(0);
  }
}

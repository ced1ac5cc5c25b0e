package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// podman as root.
class PodmanIT extends PodmanCalls {
  @Override
  List<String> caller() {
    return List.of();
  }

  @Override
  List<String> places() {
    return List.of(
        "--root",
        temp.resolve("storage").toString(),
        "--runroot",
        temp.resolve("run").toString(),
        "--tmpdir",
        temp.resolve("tmp").toString());
  }

  /// podman leaves the parent that it was told of.
  @AfterEach
  void removeParentCgroups() {
    assertThat(eventually(this::parentsAreRemoved)).as("podman's cgroups are empty").isTrue();
  }

  /// False while conmon is still in one.
  private boolean parentsAreRemoved() {
    try {
      for (Path parent : cgroups()) {
        Files.deleteIfExists(parent.resolve("conmon"));
        Files.deleteIfExists(parent);
      }
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  /// Where there is only cgroup v2, podman 4.3's own cgroup of a pod denies all devices, so that
  /// nothing runs in it, whichever the runtime; systemd's does not.
  @Override
  List<String> managerOfPods() {
    return SystemdTest.isSystemd() ? List.of("--cgroup-manager", "systemd") : List.of();
  }

  @Test
  void privileged() throws IOException {
    privilegedHasAllThatCanBeHad();
  }

  @Test
  void pauseStatsAndLimits() throws IOException {
    startLong(
        "--memory", "64m", "--pids-limit", "20", "--cpus", "0.5", "--cgroup-parent", "/" + tag);
    assertThat(podman("stats", "--no-stream", tag).run().succeeds().out())
        .contains("MEM USAGE / LIMIT", "67.11MB");
    podman("pause", tag).run().succeeds();
    assertThat(inspect("{{.State.Status}}")).isEqualTo("paused");
    podman("exec", tag, "true").run().fails();
    podman("unpause", tag).run().succeeds();
    assertThat(inspect("{{.State.Status}}")).isEqualTo("running");
    podman("exec", tag, "true").run().succeeds();
    podman("rm", "--force", "--time", "0", tag).run().succeeds();
  }

  @Test
  void aScopeOfSystemds() throws IOException {
    assumeTrue(SystemdTest.isSystemd(), "needs systemd as PID 1 (make vm-test)");
    List<String> words =
        new ArrayList<>(List.of("--cgroup-manager", "systemd", "run", "--detach", "--name", tag));
    words.addAll(requiredFlags());
    words.addAll(
        List.of("--network", "none", "--memory", "64m", BusyboxImage.NAME, "sleep", "1000"));
    podman(words.toArray(String[]::new)).run().succeeds();
    String unit = "libpod-" + inspect("{{.Id}}") + ".scope";
    assertThat(Files.readString(Path.of("/proc", inspect("{{.State.Pid}}"), "cgroup")))
        .contains("/machine.slice/" + unit);
    assertThat(SystemdTest.show(unit)).containsEntry("MemoryMax", "67108864");
    podman("exec", tag, "true").run().succeeds();
    podman("rm", "--force", "--time", "0", tag).run().succeeds();
    assertThat(eventually(() -> "not-found".equals(SystemdTest.show(unit).get("LoadState"))))
        .isTrue();
  }

  @Test
  void aUserNamespaceOfPodmans() throws IOException {
    assertThat(
            isolatedRun(
                    "--rm",
                    "--uidmap",
                    "0:100000:2000",
                    "--gidmap",
                    "0:100000:2000",
                    BusyboxImage.NAME,
                    "sh",
                    "-c",
                    "id -u; tr -s ' ' < /proc/self/uid_map")
                .run()
                .succeeds()
                .lines()
                .stream()
                .map(String::strip))
        .containsExactly("0", "0 100000 2000");
  }
}

package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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

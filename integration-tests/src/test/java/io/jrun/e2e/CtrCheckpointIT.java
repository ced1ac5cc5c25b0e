package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;

/// containerd's ctr saves a container with its memory as an image, and runs another from that.
@EnabledIf(
    value = "io.jrun.e2e.CheckpointTest#criuWorks",
    disabledReason = "no criu that can check itself on this kernel")
class CtrCheckpointIT extends ContainerdTest {
  private static final String COUNT =
      "echo begun >> /begun; i=0; while :; do i=$((i+1)); echo $i > /count; sleep 0.05; done";

  private int count(String id) {
    String text = exec(id, "count", "cat", "/count").run().succeeds().out().strip();
    return text.isEmpty() ? 0 : Integer.parseInt(text);
  }

  private void awaitCountAbove(String id, int count) {
    assertThat(EndToEnd.eventually(() -> count(id) > count)).as("%s counts on", id).isTrue();
  }

  @Test
  void aContainerGoesOnInAnotherFromAnImage() throws IOException {
    String image = "jrun.test/checkpoint:1";
    String id = newId();
    List<String> flags = new ArrayList<>(List.of("--detach", "--null-io"));
    if (Containerd.isJrun()) { // ctr restores no container without runtime options
      Path none = Files.writeString(containerd.temp().resolve("none.toml"), "");
      flags.addAll(List.of("--runtime-config-path", none.toString()));
    }
    run(flags, id, "sh", "-c", COUNT).run().succeeds();
    awaitCountAbove(id, 5);
    ctr("containers", "checkpoint", "--rw", "--image", "--task", id, image).succeeds();
    assertThat(status(id)).isEqualTo("RUNNING");
    int saved = count(id);
    remove(id);

    String other = newId();
    ctr("containers", "restore", "--rw", "--live", other, image).succeeds();
    awaitStatus(other, "RUNNING");
    awaitCountAbove(other, saved);
    assertThat(exec(other, "begun", "cat", "/begun").run().succeeds().out())
        .as("it did not begin anew")
        .isEqualTo("begun\n");
    ctr("tasks", "kill", "--signal", "KILL", other).succeeds();
    awaitStatus(other, "STOPPED");
    ctr("tasks", "delete", other).succeeds();
    ctr("containers", "delete", other).succeeds();
    ctr("images", "rm", image).succeeds();
  }
}

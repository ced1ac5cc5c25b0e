package io.jrun.runtime.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrun.specs.task.TaskStatus;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.Test;

/// A process that an engine was about to start, as where the engine and containerd die together:
/// the request does not come again, and the ends of the process and of its container are told all
/// the same.
class ShimHalfStartedIT extends ShimTest {
  private static final int SIGKILL = 9;

  private void isStarting(String execId) throws IOException {
    Path journal =
        Path.of("/run/jrun-shim").resolve(Path.of(pod.address()).getFileName()).resolve("journal");
    Files.writeString(
        journal,
        "{\"what\":\"STARTING\",\"id\":\"%s\",\"exec\":\"%s\",\"at\":\"2026-11-29T21:26:53Z\"}\n"
            .formatted(pod.id(), execId),
        StandardOpenOption.APPEND);
    sandbox.killEngine();
  }

  private void killAndDelete() {
    long begun = System.nanoTime();
    pod.ok("Kill", pod.request().uint32(3, SIGKILL).bool(4, true));
    assertThat(pod.ok("Wait", pod.request()).int32(1)).isEqualTo(128 + SIGKILL);
    pod.ok("Delete", pod.request());
    assertThat((System.nanoTime() - begun) / 1_000_000_000)
        .as("seconds")
        .isLessThan(Sandbox.TIMEOUT_SECONDS * 4 / 5);
    pod.shutDown();
  }

  @Test
  void anInitEnds() throws Exception {
    shim();
    pod.ok("Create", pod.createRequest("", "", "", false));
    isStarting("");
    assertThat(status("")).isEqualTo(TaskStatus.CREATED);
    killAndDelete();
    assertThat(sink.events()).last().isEqualTo("delete " + pod.id() + " 137");
  }

  @Test
  void anInitIsDeleted() throws Exception {
    shim();
    pod.ok("Create", pod.createRequest("", "", "", false));
    isStarting("");
    long begun = System.nanoTime();
    assertThat(pod.ok("Delete", pod.request()).int32(2)).isEqualTo(128 + SIGKILL);
    assertThat((System.nanoTime() - begun) / 1_000_000_000)
        .as("seconds")
        .isLessThan(Sandbox.TIMEOUT_SECONDS * 4 / 5);
    pod.shutDown();
  }

  @Test
  void anInitIsStartedAfterAll() throws Exception {
    shim();
    pod.ok("Create", pod.createRequest("", "", "", false));
    isStarting("");
    Thread.sleep(3000);
    pod.ok("Start", pod.request());
    killAndDelete();
    assertThat(sink.events()).contains("start " + pod.id());
  }

  @Test
  void anExecdProcessDoesNotKeepItsContainersEnd() throws Exception {
    shim();
    pod.ok("Create", pod.createRequest("", "", "", false));
    pod.ok("Start", pod.request());
    pod.ok("Exec", pod.execRequest("e", "", "sleep", "1000"));
    isStarting("e");
    killAndDelete();
    assertThat(sink.events()).last().isEqualTo("delete " + pod.id() + " 137");
  }
}

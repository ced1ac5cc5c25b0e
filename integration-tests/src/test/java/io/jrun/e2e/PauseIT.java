package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/// `pause` and `resume`.
class PauseIT extends EndToEnd {

  @Test
  void aPausedContainerStandsStillUntilResumed() throws IOException {
    Path out = Files.createDirectory(temp.resolve("out"));
    config
        .mount("{destination:'/mnt',type:'bind',source:'%s',options:['bind','rw']}".formatted(out))
        .sh("while :; do echo x >> /mnt/ticks; sleep 0.01; done");
    createAndStart();
    assertThat(eventually(() -> Files.exists(out.resolve("ticks")))).isTrue();
    runtime("pause", id).succeeds();
    assertThat(status()).isEqualTo("paused");
    long size = Files.size(out.resolve("ticks"));
    pause(200);
    assertThat(Files.size(out.resolve("ticks"))).isEqualTo(size);
    runtime("resume", id).succeeds();
    assertThat(status()).isEqualTo("running");
    assertThat(eventually(() -> out.resolve("ticks").toFile().length() > size)).isTrue();
    killAndDelete();
  }

  @Test
  void execIntoAPausedContainerIsRefused() throws IOException {
    startSleeper();
    runtime("pause", id).succeeds();
    assertThat(runtime("exec", id, "true").fails().err()).contains("paused");
  }

  @Test
  void execCanIgnoreThePause() throws IOException {
    assumeTrue(
        RUNTIME.knowsFlag("exec", "--ignore-paused"), "this runtime has no exec --ignore-paused");
    startSleeper();
    runtime("pause", id).succeeds();
    Command.Running exec = command("exec", "--ignore-paused", id, "true").start();
    pause(300);
    assertThat(exec.process().isAlive()).as("exec waits for the thaw").isTrue();
    runtime("resume", id).succeeds();
    exec.finish().succeeds();
  }

  @Test
  void aPausedContainerCanBeDeletedByForce() throws IOException {
    startSleeper();
    runtime("pause", id).succeeds();
    runtime("delete", "--force", id).succeeds();
    assertThat(ids()).isEmpty();
  }

  @Test
  void aCreatedContainerThatIsPausedSaysSoAndStartsOnlyAfterwards() throws IOException {
    create();
    runtime("pause", id).succeeds();
    assertThat(status()).isEqualTo("paused");
    runtime("start", id).exits(1);
    runtime("resume", id).succeeds();
    assertThat(status()).isEqualTo("created");
    runtime("start", id).succeeds();
    awaitStatus("stopped");
    runtime("delete", id).succeeds();
  }

  @Test
  void aCreatedContainerThatIsPausedCanBeKilled() throws IOException {
    create();
    runtime("pause", id).succeeds();
    runtime("kill", id, "KILL").succeeds();
    awaitStatus("stopped");
    runtime("delete", id).succeeds();
  }

  @Test
  void killAllReachesEveryProcessOfAPausedContainer() throws IOException {
    config.sh("sleep 1001 & sleep 1002");
    createAndStart();
    runtime("pause", id).succeeds();
    runtime("kill", "--all", id, "KILL").succeeds();
    if (!RUNTIME.isJrun()) runtime("resume", id);
    awaitStatus("stopped");
    assertThat(eventually(() -> processes().isEmpty())).isTrue();
    runtime("delete", id).succeeds();
  }

  @Test
  void wrongOrders() throws IOException {
    runtime("pause", id).failsInOneLine("does not exist");
    startSleeper();
    runtime("resume", id).exits(1);
    runtime("kill", id, "KILL").succeeds();
    awaitStatus("stopped");
    runtime("pause", id).exits(1);
    runtime("delete", id).succeeds();
  }
}

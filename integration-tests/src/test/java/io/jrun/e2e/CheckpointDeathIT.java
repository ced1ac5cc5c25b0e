package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;

/// CRIU killed at moments that are spread over its work.
@EnabledIf(value = "io.jrun.e2e.CheckpointTest#criuWorks", disabledReason = CheckpointTest.NO_CRIU)
@JrunOnly // runc leaves the container frozen, or waits for ever for what CRIU has left
class CheckpointDeathIT extends CheckpointTest {
  private static final int MOMENTS = 15;

  private Path pid = Path.of("/");
  private String path = "";

  @BeforeEach
  void putACriuThatTellsItsPidIntoThePath() throws IOException {
    pid = temp.resolve("criu.pid");
    Path directory = Files.createDirectory(temp.resolve("bin"));
    String real = Command.of("sh", "-c", "command -v criu").run().succeeds().text();
    Path criu = directory.resolve("criu");
    Files.writeString(criu, "#!/bin/sh\necho $$ > " + pid + "\nexec " + real + " \"$@\"\n");
    Files.setPosixFilePermissions(criu, PosixFilePermissions.fromString("rwxr-xr-x"));
    path = directory + ":" + System.getenv("PATH");
  }

  private Command withThatCriu(Command command) {
    List<String> words = new ArrayList<>(List.of("env", "PATH=" + path));
    words.addAll(command.words());
    return Command.of(words).in(temp);
  }

  /// Runs a command, and kills the CRIU that is there so long after its first.
  private Outcome killing(Command command, Duration moment) throws Exception {
    Files.deleteIfExists(pid);
    Thread killer =
        Thread.ofPlatform()
            .start(() -> {
              try {
                while (told() == 0) Thread.sleep(1);
                Thread.sleep(moment);
                ProcessHandle.of(told()).ifPresent(ProcessHandle::destroyForcibly);
              } catch (InterruptedException e) {
                // no CRIU ever was there
              }
            });
    try {
      return quietly(command);
    } finally {
      if (told() == 0) killer.interrupt();
      killer.join();
    }
  }

  private long told() {
    try {
      String text = Files.readString(pid).strip();
      return text.isEmpty() ? 0 : Long.parseLong(text);
    } catch (IOException e) {
      return 0; // not yet
    }
  }

  private Command checkpointCommand() throws IOException {
    images = Files.createTempDirectory(temp, "images");
    return withThatCriu(
        command("checkpoint", "--image-path", images.toString(), "--leave-running", id));
  }

  private List<Duration> momentsOf(Command command) throws IOException {
    Instant begin = Instant.now();
    quietly(command).succeeds();
    Duration whole = Duration.between(begin, Instant.now());
    List<Duration> moments = new ArrayList<>();
    for (int i = 0; i < MOMENTS; i++) moments.add(whole.multipliedBy(i).dividedBy(MOMENTS));
    return moments;
  }

  /// A CRIU that has its own code in the container's processes when it dies takes them with it.
  @Test
  void aContainerRunsOnOrEndsWhereTheCriuThatSavesItIsKilled() throws Exception {
    startCounting();
    int ranOn = 0;
    int killed = 0;
    for (Duration moment : momentsOf(checkpointCommand())) {
      Outcome outcome = killing(checkpointCommand(), moment);
      if (outcome.status() != 0) {
        assertThat(outcome.err()).contains("criu was killed by signal 9");
        killed++;
      }
      String status = status();
      assertThat(status).as("after %s: %s", moment, outcome).isIn("running", "stopped");
      if (status.equals("running")) {
        awaitCountAbove(count());
        ranOn++;
      } else {
        runtime("delete", id).succeeds();
        id = newId();
        Files.deleteIfExists(out.resolve("count"));
        startCounting();
      }
    }
    assertThat(killed).as("of %d", MOMENTS).isPositive();
    assertThat(ranOn).as("of %d", MOMENTS).isPositive();
    killAndDelete();
  }

  @Test
  void nothingIsLeftWhereTheCriuThatRestoresIsKilled() throws Exception {
    startCounting();
    checkpoint().succeeds();
    Command restore = withThatCriu(restoreCommand("--detach"));
    List<Duration> moments = momentsOf(restore);
    killAndDelete();
    int killed = 0;
    for (Duration moment : moments) {
      Outcome outcome = killing(restore, moment);
      if (outcome.status() == 0) {
        assertThat(status()).isEqualTo("running");
        killAndDelete();
        continue;
      }
      killed++;
      assertThat(outcome.err()).contains("criu was killed by signal 9");
      assertThat(ids()).as("after %s", moment).isEmpty();
      assertThat(cgroups()).as("after %s", moment).isEmpty();
      assertThat(eventually(() -> processes().isEmpty())).as("after %s", moment).isTrue();
    }
    assertThat(killed).as("of %d", MOMENTS).isPositive();
  }
}

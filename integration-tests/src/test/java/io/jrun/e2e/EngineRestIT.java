package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/// An engine that nobody asks anything, of an installation whose engines rest after some three
/// seconds and not fifteen.
@JrunOnly
@Isolated
class EngineRestIT extends OwnInstallationTest {
  private static final long LESS_KIBIBYTES = 8192;

  @BeforeEach
  void restSoon() throws IOException {
    Path arguments = prefix.resolve("lib/jrun/engine.argv");
    String look = "-Djrun.engine.lookMillis=500";
    Files.write(
        arguments,
        Files.readAllLines(arguments).stream()
            .flatMap(word -> word.equals("-cp") ? Stream.of(look, word) : Stream.of(word))
            .toList());
  }

  private Command runCommand() {
    return installedCommand("run", "--bundle", bundle.path().toString(), newId());
  }

  @Test
  void oneThatRestsGivesMemoryBackAndAnswersAsBefore() throws IOException {
    bundle.write(config);
    for (int rest = 0; rest < 2; rest++) {
      for (int i = 0; i < 5; i++) runCommand().run().succeeds();
      long pid = enginePid();
      long busy = residentKibibytes(pid);
      long rested = busy;
      for (int i = 0; i < 400 && rested > busy - LESS_KIBIBYTES; i++) {
        pause(100);
        rested = residentKibibytes(pid);
      }
      assertThat(rested).as("KiB of %d when it worked", busy).isLessThan(busy - LESS_KIBIBYTES);
      List<Command.Running> running = new ArrayList<>();
      for (int i = 0; i < 4; i++) running.add(runCommand().start());
      for (Command.Running each : running) each.finish().succeeds();
      assertThat(enginePid()).as("the same engine").isEqualTo(pid);
    }
  }

  private static long residentKibibytes(long pid) throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/" + pid + "/smaps_rollup")))
      if (line.startsWith("Rss:")) return Long.parseLong(line.replaceAll("\\D", ""));
    return 0;
  }
}

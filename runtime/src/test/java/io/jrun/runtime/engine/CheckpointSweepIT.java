package io.jrun.runtime.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jrun.runtime.engine.Sandbox.Outcome;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// `checkpoint` and `restore` with each of their calls failing in turn. Where criu cannot work on
/// this kernel, it is criu that refuses in the end, whichever call failed before.
class CheckpointSweepIT extends CallSweep {
  private Path images = Path.of("/");
  private boolean works;

  @BeforeAll
  void lookForCriu() throws Exception {
    works = criu("check");
    assumeTrue(works || criu("--version"), "needs criu");
    images = sandbox.top().resolve("images");
  }

  private static boolean criu(String word) throws InterruptedException {
    try {
      return new ProcessBuilder("criu", word)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start()
              .waitFor()
          == 0;
    } catch (IOException e) {
      return false;
    }
  }

  private void forget(Path directory) {
    if (!Files.exists(directory)) return;
    try (Stream<Path> walk = Files.walk(directory)) {
      for (Path path : walk.sorted(Comparator.reverseOrder()).toList()) Files.delete(path);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// Whether the failure came behind CRIU's work: its inventory is the last of the images.
  private boolean isSaved(String id) {
    return status(id).equals("stopped") && Files.exists(images.resolve("inventory.img"));
  }

  /// What is only of use to CRIU, and fails, is a warning.
  @Override
  String errors(Outcome outcome) {
    return outcome.err().replaceAll("(?m)^time=\\S+ level=warning .*\\R?", "");
  }

  private Sweep expected(Sweep sweep) {
    return works ? sweep : sweep.thatFails();
  }

  @Test
  void checkpoint() {
    sweep(
        expected(
            new Sweep(
                "checkpoint",
                id -> {
                  forget(images);
                  running(id);
                },
                id -> new String[] {"checkpoint", "--image-path", images.toString(), id},
                (id, outcome, wrong) -> {
                  if (outcome.status() != 0 && !isSaved(id)) stillRuns(id, outcome, wrong);
                })));
  }

  @Test
  void restore() throws IOException {
    Path saved = sandbox.top().resolve("saved");
    String first = newId();
    running(first);
    Outcome outcome = command("checkpoint", "--image-path", saved.toString(), first);
    assertThat(outcome.status() == 0).as("%s", outcome).isEqualTo(works);
    made("delete", "--force", first);
    // what a criu that does not work leaves out
    if (!works)
      Files.writeString(
          saved.resolve("descriptors.json"), "[\"/dev/null\",\"/dev/null\",\"/dev/null\"]");
    sweep(
        expected(
            new Sweep(
                "restore",
                id -> {},
                id -> new String[] {"restore", "--detach", "--image-path", saved.toString(), id},
                (id, after, wrong) -> {
                  if (after.status() != 0) nothing(id, wrong);
                })));
  }
}

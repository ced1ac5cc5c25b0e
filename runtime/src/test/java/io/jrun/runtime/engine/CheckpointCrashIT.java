package io.jrun.runtime.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrun.runtime.engine.Sandbox.Outcome;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Engines killed in the middle of `checkpoint` and `restore`, alone or with their clients: what
/// was to be saved runs on or is saved, of what was to be restored nothing is left or it runs.
@EnabledIf(
    value = "io.jrun.runtime.engine.ShimCheckpointIT#criuWorks",
    disabledReason = ShimCheckpointIT.NO_CRIU)
class CheckpointCrashIT extends CrashSweep {
  private Path images() {
    return sandbox.top().resolve("images");
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void checkpoint(boolean both) {
    sweep(
        "checkpoint",
        both,
        () -> made("run", "--detach", id),
        (outcome, wrong) -> {
          Outcome state = command("state", id);
          boolean isSaved = Files.exists(images().resolve("inventory.img"));
          if (!state.out().contains("\"running\"") && !isSaved) wrong.add("state: " + state);
        },
        "checkpoint",
        "--image-path",
        images().toString(),
        id);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void restore(boolean both) {
    String saved = sandbox.top().resolve("saved").toString();
    made("run", "--detach", id);
    made("checkpoint", "--image-path", saved, id);
    sweep(
        "restore",
        both,
        () -> {},
        (outcome, wrong) -> {
          String state = command("state", id).out();
          if (outcome.status() == 0 && !state.contains("\"running\"")) wrong.add("state: " + state);
          List<String> left = left();
          if (outcome.status() != 0 && !both && !left.isEmpty()) wrong.add("left: " + left);
        },
        "restore",
        "--detach",
        "--image-path",
        saved,
        id);
    assertThat(left()).isEmpty();
  }
}

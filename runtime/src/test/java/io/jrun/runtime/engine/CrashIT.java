package io.jrun.runtime.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrun.runtime.engine.Sandbox.Outcome;
import java.io.IOException;
import java.nio.file.Files;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Engines killed in the middle of commands on containers.
class CrashIT extends CrashSweep {
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void create(boolean both) {
    sweep("create", both, () -> {}, this::nothingUnlessMade, "create", id);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void start(boolean both) {
    sweep(
        "start",
        both,
        () -> made("create", id),
        (outcome, wrong) -> {
          Outcome state = command("state", id);
          boolean running = state.out().contains("\"running\"");
          if (!running && !state.out().contains("\"created\"")) wrong.add("state: " + state);
          Outcome again = command("start", id);
          if (running == (again.status() == 0)) wrong.add("start again: " + again);
        },
        "start",
        id);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void exec(boolean both) {
    sweep(
        "exec",
        both,
        () -> made("run", "--detach", id),
        (outcome, wrong) -> {
          Outcome again = command("exec", id, "true");
          if (again.status() != 0) wrong.add("exec again: " + again);
        },
        "exec",
        id,
        "true");
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void delete(boolean both) {
    sweep(
        "delete",
        both,
        () -> made("run", "--detach", id),
        (outcome, wrong) -> {},
        "delete",
        "--force",
        id);
  }

  /// Whoever finds such a container half made knows its mount.
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void mountsOnTheHost(boolean both) throws IOException {
    sandbox.config(Sandbox::withoutMountNamespace);
    try {
      sweep("create", both, () -> {}, this::nothingUnlessMade, "create", id);
      sweep("delete", both, () -> made("create", id), (outcome, wrong) -> {}, "delete", id);
    } finally {
      sandbox.config(text -> text);
    }
  }

  @Test
  void aRunningContainerOutlivesBoth() throws Exception {
    Process client = builder("run", id).start();
    assertThat(Sandbox.eventually(() -> Files.exists(sandbox.state().resolve(id)))).isTrue();
    assertThat(Sandbox.eventually(() -> command("state", id).out().contains("\"running\"")))
        .isTrue();
    long engine = engine();
    CrashingInstallation.endEngine(engine);
    client.destroyForcibly().waitFor();
    assertThat(Sandbox.eventually(() -> !Sandbox.runs(engine))).isTrue();
    assertThat(Sandbox.text(command("list", "-q"))).isEqualTo(id + "\n");
    made("exec", id, "true");
    assertThat(Sandbox.text(command("state", id))).contains("\"running\"");
    made("delete", "--force", id);
    assertThat(sandbox.leftSoon(id)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void runInTheForeground(boolean both) throws IOException {
    sandbox.config(text -> text.replace("[\"sleep\",\"1000\"]", "[\"true\"]"));
    try {
      sweep("run", both, () -> {}, this::nothingUnlessMade, "run", id);
    } finally {
      sandbox.config(text -> text);
    }
  }
}

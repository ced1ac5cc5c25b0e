package io.jrun.runtime.engine;

import io.jrun.runtime.engine.Sandbox.Outcome;
import java.util.List;
import org.junit.jupiter.api.Test;

/// The commands of a default container's life, with each of their calls failing in turn.
class FailEveryCallIT extends CallSweep {
  @Test
  void create() {
    sweep(
        new Sweep("create", id -> {}, id -> new String[] {"create", id}, this::nothingUnlessMade));
  }

  @Test
  void update() {
    sweep(
        new Sweep(
            "update",
            this::running,
            id -> new String[] {"update", "--pids-limit", "9", "--memory", "64M", id},
            this::stillRuns));
  }

  @Test
  void start() {
    sweep(
        new Sweep(
            "start",
            this::created,
            id -> new String[] {"start", id},
            (id, outcome, wrong) -> {
              if (outcome.status() == 0) stillRuns(id, outcome, wrong);
            }));
  }

  @Test
  void exec() {
    sweep(
        new Sweep("exec", this::running, id -> new String[] {"exec", id, "true"}, this::runsAlone));
  }

  @Test
  void runInTheForeground() throws Exception {
    withConfig(
        text -> text.replace("[\"sleep\",\"1000\"]", "[\"true\"]"),
        () ->
            sweep(
                new Sweep(
                    "run",
                    id -> {},
                    id -> new String[] {"run", id},
                    (id, outcome, wrong) -> nothing(id, wrong))));
  }

  @Test
  void deleteOfACreatedContainer() {
    sweep(
        new Sweep(
            "delete of a created container",
            this::created,
            id -> new String[] {"delete", id},
            this::nothingUnlessRefused));
  }

  @Test
  void forcedDeleteOfARunningContainer() {
    sweep(
        new Sweep(
            "delete --force",
            this::running,
            id -> new String[] {"delete", "--force", id},
            this::nothingUnlessRefused));
  }

  @Test
  void kill() {
    sweep(
        new Sweep(
            "kill --all",
            this::running,
            id -> new String[] {"kill", "--all", id, "USR1"},
            (id, outcome, wrong) -> {
              if (status(id).equals("paused") && !outcome.err().contains("cannot thaw"))
                wrong.add("left frozen");
            }));
  }

  @Test
  void pause() {
    sweep(
        new Sweep(
            "pause",
            this::running,
            id -> new String[] {"pause", id},
            (id, outcome, wrong) -> {
              if (outcome.status() == 0 && !status(id).equals("paused"))
                wrong.add("status is " + status(id));
            }));
  }

  @Test
  void resume() {
    sweep(
        new Sweep(
            "resume",
            this::paused,
            id -> new String[] {"resume", id},
            (id, outcome, wrong) -> {
              if (outcome.status() == 0) stillRuns(id, outcome, wrong);
            }));
  }

  /// What only looks changes nothing.
  @Test
  void looking() {
    for (List<String> words :
        List.of(
            List.of("state"), List.of("ps", "--format", "json"), List.of("events", "--stats"))) {
      sweep(
          new Sweep(
              words.getFirst(),
              this::running,
              id -> {
                List<String> all = new java.util.ArrayList<>(words);
                all.add(id);
                return all.toArray(String[]::new);
              },
              this::stillRuns));
    }
  }

  private void nothingUnlessRefused(String id, Outcome outcome, List<String> wrong) {
    if (outcome.status() == 0) nothing(id, wrong);
  }
}

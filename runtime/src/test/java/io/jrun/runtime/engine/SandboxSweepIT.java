package io.jrun.runtime.engine;

import org.junit.jupiter.api.Test;

/// The commands of a sandbox's life, with each of their calls failing in turn.
class SandboxSweepIT extends CallSweep {
  @Override
  String[] removal(String id) {
    return new String[] {"sandbox", "rm", "--force", id};
  }

  @Test
  void run() {
    sweep(
        new Sweep(
            "sandbox run",
            id -> {},
            id -> new String[] {"sandbox", "run", "--sysctl", "kernel.msgmax=4096", id},
            (id, outcome, wrong) -> {
              if (outcome.status() != 0) nothing(id, wrong);
            }));
  }

  @Test
  void stop() {
    sweep(
        new Sweep(
            "sandbox stop",
            id -> made("sandbox", "run", id),
            id -> new String[] {"sandbox", "stop", id},
            (id, outcome, wrong) -> {
              String listed = command("sandbox", "list").out();
              if (!listed.contains(id)) wrong.add("not listed: " + listed);
            }));
  }

  @Test
  void rm() {
    sweep(
        new Sweep(
            "sandbox rm",
            id -> made("sandbox", "run", id),
            id -> new String[] {"sandbox", "rm", id},
            (id, outcome, wrong) -> {
              if (outcome.status() == 0) nothing(id, wrong);
            }));
  }
}

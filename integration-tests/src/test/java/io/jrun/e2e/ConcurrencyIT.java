package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/// Many commands at once.
class ConcurrencyIT extends EndToEnd {

  private static final int MANY = 50;
  private static final int ROUNDS = 12;

  @Test
  void manyCreatesThenDeletes() throws IOException {
    List<String> names = new ArrayList<>();
    List<Command.Running> creates = new ArrayList<>();
    for (int i = 0; i < MANY; i++) {
      id = newId();
      names.add(id);
      creates.add(onBundle("create").start());
    }
    finishAll(creates);
    assertThat(ids()).containsExactlyInAnyOrderElementsOf(names);
    List<Long> pids = new ArrayList<>();
    for (JsonNode container : Config.json(runtime("list", "--format", "json").succeeds().out())) {
      assertThat(container.get("status").asString()).isEqualTo("created");
      pids.add(container.get("pid").asLong());
    }
    assertThat(pids).doesNotHaveDuplicates().hasSize(MANY).allMatch(EndToEnd::runs);
    List<Command.Running> deletes = new ArrayList<>();
    for (String name : names) {
      deletes.add(command("delete", "--force", name).start());
    }
    finishAll(deletes);
    assertThat(ids()).isEmpty();
    assertThat(cgroups()).isEmpty();
  }

  @Test
  void manyExecsIntoOneContainer() throws IOException {
    startSleeper();
    List<Command.Running> execs = new ArrayList<>();
    for (int i = 0; i < MANY; i++) {
      execs.add(command("exec", id, "sh", "-c", "echo " + i + "; exit " + i).start());
    }
    for (int i = 0; i < MANY; i++) {
      assertThat(execs.get(i).finish().exits(i).text()).isEqualTo(String.valueOf(i));
    }
    killAndDelete();
  }

  @Test
  void oneIdIsGivenOnce() throws IOException {
    List<Command.Running> creates = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      creates.add(onBundle("create").start());
    }
    int succeeded = 0;
    for (Command.Running create : creates) {
      succeeded += create.finish().status() == 0 ? 1 : 0;
    }
    assertThat(succeeded).isEqualTo(1);
    assertThat(status()).isEqualTo("created");
    runtime("delete", "--force", id).succeeds();
  }

  /// Create, start, exec and delete of one id at once, in all orders that happen: each succeeds or
  /// says why not in a line, and afterwards the id is free.
  @Test
  void everythingAtOnceOnOneId() throws IOException {
    config.args("sleep", "1000");
    bundle.write(config);
    for (int round = 0; round < ROUNDS; round++) {
      List<Command.Running> commands = new ArrayList<>();
      if (round % 2 == 0) create();
      for (int i = 0; i < 2; i++) {
        commands.add(command("create", "--bundle", bundle.path().toString(), id).start());
        commands.add(command("start", id).start());
        commands.add(command("exec", id, "true").start());
        commands.add(command("delete", "--force", id).start());
        commands.add(command("list").start());
        commands.add(command("run", "--detach", "--bundle", bundle.path().toString(), id).start());
      }
      for (Command.Running command : commands) {
        Outcome outcome = command.finish();
        if (outcome.command().contains("list")) outcome.succeeds();
        else if (outcome.command().contains("delete")) outcome.succeeds();
        // an exec'd process may be killed with its container
        else if (outcome.status() != 0 && outcome.status() != 137)
          assertThat(outcome.err().strip().lines().toList()).as("%s", outcome).hasSize(1);
      }
      runtime("delete", "--force", id).succeeds();
      assertThat(cgroups()).as("round %d", round).isEmpty();
      assertThat(root.resolve(id)).as("round %d", round).doesNotExist();
    }
    create();
    killAndDeleteCreated();
  }

  private void killAndDeleteCreated() {
    assertThat(status()).isEqualTo("created");
    runtime("delete", "--force", id).succeeds();
  }

  private static void finishAll(List<Command.Running> commands) throws IOException {
    List<Outcome> outcomes = new ArrayList<>();
    for (Command.Running command : commands) {
      outcomes.add(command.finish());
    }
    outcomes.forEach(Outcome::succeeds);
  }
}

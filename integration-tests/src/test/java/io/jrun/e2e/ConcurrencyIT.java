package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Many commands at once.
class ConcurrencyIT extends EndToEnd {

  private static final int MANY = 50;

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

  private static void finishAll(List<Command.Running> commands) throws IOException {
    List<Outcome> outcomes = new ArrayList<>();
    for (Command.Running command : commands) {
      outcomes.add(command.finish());
    }
    outcomes.forEach(Outcome::succeeds);
  }
}

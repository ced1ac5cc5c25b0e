package io.jrun.runtime.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrun.runtime.engine.Sandbox.Outcome;
import io.jrun.runtime.engine.Stages.Kind;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

/// The client, or a process that it was to become the parent of, killed at every stage of a
/// command, before each message and each call of the engine's own: what was begun is undone.
class DeathIT extends EngineTest {
  private final List<String> problems = new ArrayList<>();

  private void kill(ProcessHandle process) {
    process.destroyForcibly();
    Sandbox.eventually(() -> !Sandbox.runs(process.pid()));
  }

  private void killClient() {
    ProcessHandle.of(engine.clientPid()).ifPresent(this::kill);
  }

  /// The client's children die, init among them; the client goes on.
  private void killChildren() {
    ProcessHandle.of(engine.clientPid()).ifPresent(client -> client.children().forEach(this::kill));
  }

  private interface Check {
    void look(String id, Outcome outcome, List<String> wrong);
  }

  private void sweep(
      String name,
      Runnable death,
      java.util.function.Consumer<String> before,
      Check after,
      String... command) {
    long started = System.nanoTime();
    int runs = 0;
    for (Kind kind : Kind.values()) {
      String first = newId();
      before.accept(first);
      Stages counted = Stages.counting();
      Outcome healthy = observed(counted, first, command);
      assertThat(healthy.status()).as("%s", healthy).isZero();
      assertThat(command("delete", "--force", first).status()).isZero();
      for (int number : SweptSteps.upTo(counted.seen(kind))) {
        String id = newId();
        before.accept(id);
        List<String> wrong = new ArrayList<>();
        try {
          Outcome outcome = observed(new Stages(kind, number, death), id, command);
          runs++;
          after.look(id, outcome, wrong);
          Outcome deleted = command("delete", "--force", id);
          if (deleted.status() != 0) wrong.add("delete --force: " + deleted.err());
        } catch (AssertionError e) {
          wrong.add(e + " " + e.getCause());
        }
        List<String> left = sandbox.leftSoon(id);
        if (!left.isEmpty()) wrong.add("left: " + left);
        for (String text : wrong) problems.add(name + ", " + kind + " " + number + ": " + text);
      }
    }
    System.out.printf(
        "sweep of %s: %d runs, %d ms%n", name, runs, (System.nanoTime() - started) / 1_000_000);
    List<String> found = List.copyOf(problems);
    problems.clear();
    found.forEach(text -> System.out.println("problem: " + text));
    assertThat(found).as("problems of " + name).isEmpty();
  }

  private Outcome observed(Stages stages, String id, String... words) {
    engine.observe(stages);
    try {
      String[] all = words.clone();
      for (int i = 0; i < all.length; i++) if (all[i].equals("ID")) all[i] = id;
      return command(all);
    } finally {
      engine.observe(null);
    }
  }

  private void nothing(String id, Outcome outcome, List<String> wrong) {
    // a client may die when all is done
    if (outcome.status() == 0 || command("state", id).out().contains("\"created\"")) return;
    List<String> left = sandbox.leftSoon(id);
    if (!left.isEmpty()) wrong.add("left before any other command: " + left);
  }

  private void stillRuns(String id, Outcome outcome, List<String> wrong) {
    if (!command("state", id).out().contains("\"running\""))
      wrong.add("the container does not run");
    Outcome again = command("exec", id, "true");
    if (again.status() != 0) wrong.add("exec again: " + again);
  }

  @Test
  void clientOfCreate() {
    sweep("client deaths in create", this::killClient, id -> {}, this::nothing, "create", "ID");
  }

  /// Where hooks have run, those after the end do, once: by the engine, or by the delete.
  @Test
  void clientOfCreateWithHooks() throws Exception {
    Path marks = sandbox.top().resolve("marks");
    String hook = "[{\"path\":\"/bin/sh\",\"args\":[\"sh\",\"-c\",\"echo %s >> %s\"]}]";
    String hooks =
        "{\"hooks\":{\"createRuntime\":%s,\"poststop\":%s},"
            .formatted(hook.formatted("before", marks), hook.formatted("after", marks));
    sandbox.config(text -> text.replaceFirst("\\{", hooks));
    try {
      sweep(
          "client deaths in create with hooks",
          this::killClient,
          id -> delete(marks),
          (id, outcome, wrong) -> {
            command("delete", "--force", id);
            List<String> marked = lines(marks);
            if (marked.contains("before") && Collections.frequency(marked, "after") != 1)
              wrong.add("hooks that ran: " + marked);
          },
          "create",
          "ID");
    } finally {
      sandbox.config(text -> text);
    }
  }

  private static void delete(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static List<String> lines(Path file) {
    try {
      return Files.exists(file) ? Files.readAllLines(file) : List.of();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void clientOfExec() {
    sweep(
        "client deaths in exec",
        this::killClient,
        id -> made("run", "--detach", id),
        this::stillRuns,
        "exec",
        "ID",
        "true");
  }

  @Test
  void clientOfStart() {
    sweep(
        "client deaths in start",
        this::killClient,
        id -> made("create", id),
        (id, outcome, wrong) -> {
          String state = command("state", id).out();
          if (!state.contains("\"running\"") && !state.contains("\"created\""))
            wrong.add("state: " + state);
        },
        "start",
        "ID");
  }

  @Test
  void clientOfDelete() {
    sweep(
        "client deaths in delete",
        this::killClient,
        id -> made("run", "--detach", id),
        (id, outcome, wrong) -> {},
        "delete",
        "--force",
        "ID");
  }

  @Test
  void clientOfRun() throws Exception {
    sandbox.config(text -> text.replace("[\"sleep\",\"1000\"]", "[\"true\"]"));
    try {
      sweep(
          "client deaths in run",
          this::killClient,
          id -> {},
          (id, outcome, wrong) -> {},
          "run",
          "ID");
    } finally {
      sandbox.config(text -> text);
    }
  }

  @Test
  void initOfCreate() {
    sweep(
        "init deaths in create",
        this::killChildren,
        id -> {},
        (id, outcome, wrong) -> {
          if (outcome.status() != 0 && outcome.err().lines().count() != 1)
            wrong.add("not one line of error: " + outcome.err());
          nothing(id, outcome, wrong);
        },
        "create",
        "ID");
  }

  @Test
  void processOfExec() {
    sweep(
        "process deaths in exec",
        this::killChildren,
        id -> made("run", "--detach", id),
        (id, outcome, wrong) -> {
          if (outcome.err().lines().count() > 1) wrong.add("more than a line: " + outcome.err());
          stillRuns(id, outcome, wrong);
        },
        "exec",
        "ID",
        "true");
  }

  /// A process between makes the user namespace, and init is born of it.
  private void inAUserNamespace(Runnable sweeps) throws Exception {
    sandbox.config(text ->
        text.replace(
                "\"linux\":{",
                "\"linux\":{\"uidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":1000}],"
                    + "\"gidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":1000}],")
            .replace("\"namespaces\":[", "\"namespaces\":[{\"type\":\"user\"},"));
    try {
      sweeps.run();
    } finally {
      sandbox.config(text -> text);
    }
  }

  @Test
  void ofCreateInAUserNamespace() throws Exception {
    inAUserNamespace(() -> {
      sweep(
          "client deaths in create, user namespace",
          this::killClient,
          id -> {},
          this::nothing,
          "create",
          "ID");
      sweep(
          "children's deaths in create, user namespace",
          this::killChildren,
          id -> {},
          this::nothing,
          "create",
          "ID");
    });
  }

  @Test
  void ofExecInAUserNamespace() throws Exception {
    inAUserNamespace(() ->
        sweep(
            "client deaths in exec, user namespace",
            this::killClient,
            id -> made("run", "--detach", id),
            this::stillRuns,
            "exec",
            "ID",
            "true"));
  }
}

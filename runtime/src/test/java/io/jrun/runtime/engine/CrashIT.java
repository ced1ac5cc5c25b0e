package io.jrun.runtime.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrun.runtime.engine.Sandbox.Outcome;
import io.jrun.runtime.engine.Stages.Kind;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The engine killed, alone or with its client, before every message that a command sends and
/// between its own calls: afterwards `list` works, `delete --force` leaves nothing, and the id can
/// be used again. `-Djrun.crash.every=1` dies at each of the engine's own calls instead of some.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CrashIT {
  private static final int EVERY = Integer.getInteger("jrun.crash.every", 24);

  private Sandbox sandbox;
  private CrashingInstallation installation;
  private Path control;
  private Path jrun;
  private String id = "";
  private final List<String> problems = new ArrayList<>();

  @BeforeAll
  void install() throws IOException {
    sandbox = new Sandbox();
    id = sandbox.tag();
    installation = new CrashingInstallation(sandbox);
    control = installation.control();
    jrun = installation.jrun();
  }

  @AfterAll
  void end() throws Exception {
    if (sandbox == null) return;
    if (installation != null) installation.close();
    sandbox.close();
  }

  private Outcome command(String... words) {
    return sandbox.run(sandbox.command(jrun, Map.of(), words));
  }

  private int seen(Kind kind, Runnable before, String... words) {
    before.run();
    Outcome outcome = command(words);
    assertThat(outcome.status()).as("%s", outcome).isZero();
    try {
      int seen = 0;
      for (String line : Files.readAllLines(control.resolve("seen")))
        if (line.startsWith(kind.name())) seen = Integer.parseInt(line.split(" ")[1]);
      assertThat(command("delete", "--force", id).status()).isZero();
      assertThat(sandbox.leftSoon(id)).isEmpty();
      return seen;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private interface Check {
    void look(Outcome outcome, List<String> wrong);
  }

  /// Crashes the command at every stage.
  private void sweep(String name, boolean both, Runnable before, Check after, String... words) {
    long started = System.nanoTime();
    int runs = 0;
    int died = 0;
    for (Kind kind : Kind.values()) {
      int stages = seen(kind, before, words);
      int step = kind == Kind.MESSAGE ? 1 : EVERY;
      for (int number = 1; number <= stages; number += step) {
        before.run();
        installation.crash(kind, number, both);
        Outcome outcome = command(words);
        if (both) awaitDeath();
        runs++;
        List<String> wrong = new ArrayList<>();
        if (Files.exists(control.resolve("crash"))) wrong.add("was not asked to crash");
        if (outcome.status() != 0) died++;
        if (!both && outcome.status() != 0 && outcome.err().lines().count() > 1)
          wrong.add("more than a line of error: " + outcome.err());
        if (!both) after.look(outcome, wrong);
        Outcome list = command("list");
        if (list.status() != 0 || !list.err().isEmpty()) wrong.add("list: " + list.err());
        Outcome deleted = command("delete", "--force", id);
        if (deleted.status() != 0) wrong.add("delete --force: " + deleted.err());
        List<String> left = sandbox.leftSoon(id);
        if (!left.isEmpty()) wrong.add("left: " + left);
        for (String text : wrong)
          problems.add(
              name
                  + (both ? ", both" : "")
                  + ", "
                  + kind
                  + " "
                  + number
                  + ": "
                  + text
                  + "  ["
                  + outcome.status()
                  + " "
                  + outcome.err().strip()
                  + "]");
      }
    }
    System.out.printf(
        "sweep of crashes of %s%s: %d runs, %d with an error, %d ms%n",
        name,
        both ? " with the client" : "",
        runs,
        died,
        (System.nanoTime() - started) / 1_000_000);
    List<String> found = List.copyOf(problems);
    problems.clear();
    found.forEach(text -> System.out.println("problem: " + text));
    assertThat(found).as("problems of crashes of " + name).isEmpty();
  }

  /// The client is gone before its engine is.
  private void awaitDeath() {
    try {
      long pid =
          Long.parseLong(Files.readAllLines(control.resolve("engines")).getLast().split(" ")[0]);
      for (int i = 0; i < 1000 && Files.exists(Path.of("/proc", pid + "", "exe")); i++)
        Thread.sleep(2);
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private void made(String... words) {
    Outcome outcome = command(words);
    assertThat(outcome.status()).as("%s", outcome).isZero();
  }

  /// A client that lost its engine has deleted what was begun, unless that was before it was told
  /// how to.
  private void nothingUnlessMade(Outcome outcome, List<String> wrong) {
    if (outcome.status() == 0 || outcome.err().contains("the engine closed the connection")) return;
    List<String> left = sandbox.leftSoon(id);
    if (!left.isEmpty()) wrong.add("left by the client: " + left);
  }

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

  @Test
  void aRunningContainerOutlivesBoth() throws Exception {
    Process client = sandbox.command(jrun, Map.of(), "run", id).start();
    for (int i = 0; i < 500 && !Files.exists(sandbox.state().resolve(id)); i++) Thread.sleep(10);
    boolean running = false;
    for (int i = 0; i < 200 && !running; i++)
      running = command("state", id).out().contains("\"running\"");
    assertThat(running).isTrue();
    String engine = Files.readAllLines(control.resolve("engines")).getLast().split(" ")[0];
    ProcessHandle.of(Long.parseLong(engine)).ifPresent(CrashingInstallation::endEngine);
    client.destroyForcibly().waitFor();
    awaitDeath();
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

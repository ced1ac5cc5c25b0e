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
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;

/// Kills the engine, alone or with its client, at the stages of a command: afterwards `list` works,
/// the removal leaves nothing, and the id can be used again. `-Djrun.crash.every=1` dies at each of
/// the engine's own calls instead of some.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class CrashSweep {
  static final int EVERY = Integer.getInteger("jrun.crash.every", 24);

  Sandbox sandbox;
  private CrashingInstallation installation;
  Path control;
  Path jrun;
  String id = "";
  final List<String> problems = new ArrayList<>();

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

  /// What a command is run by.
  List<String> prefix() {
    return List.of();
  }

  Map<String, String> environment() {
    return Map.of();
  }

  /// What is left of a container, a moment after a command.
  List<String> left() {
    return sandbox.leftSoon(id);
  }

  /// The command that removes what a sweep's command makes.
  String[] removal() {
    return new String[] {"delete", "--force", id};
  }

  ProcessBuilder builder(String... words) {
    ProcessBuilder builder = sandbox.command(jrun, environment(), words);
    builder.command().addAll(0, prefix());
    return builder;
  }

  Outcome command(String... words) {
    return sandbox.run(builder(words));
  }

  private int seen(Kind kind, Runnable before, String... words) {
    before.run();
    Outcome outcome = command(words);
    assertThat(outcome.status()).as("%s", outcome).isZero();
    try {
      int seen = 0;
      for (String line : Files.readAllLines(control.resolve("seen")))
        if (line.startsWith(kind.name())) seen = Integer.parseInt(line.split(" ")[1]);
      assertThat(command(removal()).status()).isZero();
      assertThat(left()).isEmpty();
      return seen;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void crash(Kind kind, int number, boolean both) {
    try {
      Files.writeString(
          control.resolve("crash"), kind + " " + number + " " + (both ? "both" : "engine"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  interface Check {
    void look(Outcome outcome, List<String> wrong);
  }

  private static List<Integer> numbers(int stages, int step) {
    return IntStream.iterate(1, number -> number <= stages, number -> number + step)
        .boxed()
        .toList();
  }

  /// Crashes the command at every stage.
  void sweep(String name, boolean both, Runnable before, Check after, String... words) {
    long started = System.nanoTime();
    int runs = 0;
    int died = 0;
    for (Kind kind : Kind.values()) {
      int stages = seen(kind, before, words);
      int step = kind == Kind.MESSAGE ? 1 : EVERY;
      for (int number : SweptSteps.of(numbers(stages, step))) {
        before.run();
        crash(kind, number, both);
        Outcome outcome = command(words);
        // one that ended by itself had fewer stages than were counted, and its engine lives
        if (both && outcome.status() != 0) awaitDeath();
        runs++;
        List<String> wrong = new ArrayList<>();
        if (Files.exists(control.resolve("crash"))) wrong.add("was not asked to crash");
        if (outcome.status() != 0) died++;
        if (!both && outcome.status() != 0 && outcome.err().lines().count() > 1)
          wrong.add("more than a line of error: " + outcome.err());
        if (!both) after.look(outcome, wrong);
        Outcome list = command("list");
        if (list.status() != 0 || !list.err().isEmpty()) wrong.add("list: " + list.err());
        Outcome deleted = command(removal());
        if (deleted.status() != 0) wrong.add("removal: " + deleted.err());
        List<String> left = left();
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
    long pid = engine();
    assertThat(Sandbox.eventually(() -> !Sandbox.runs(pid))).as("engine %d dies", pid).isTrue();
  }

  /// The last that was started.
  long engine() {
    try {
      return Long.parseLong(Files.readAllLines(control.resolve("engines")).getLast().split(" ")[0]);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  void made(String... words) {
    Outcome outcome = command(words);
    assertThat(outcome.status()).as("%s", outcome).isZero();
  }

  /// A client that lost its engine has deleted what was begun.
  void nothingUnlessMade(Outcome outcome, List<String> wrong) {
    if (outcome.status() == 0) return;
    List<String> left = left();
    if (!left.isEmpty()) wrong.add("left by the client: " + left);
  }
}

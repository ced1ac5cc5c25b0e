package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/// containerd's ctr drives containers through the shim: the life of a task.
class CtrIT extends ContainerdTest {

  @Test
  void runPrintsAndReturnsTheExitStatus() {
    Outcome outcome = runSh(newId(), "echo out; echo err >&2; exit 7").run().exits(7);
    assertThat(outcome.out()).isEqualTo("out\n");
    assertThat(outcome.err()).contains("err\n");
  }

  @Test
  void aSignalIsAStatusAbove128() {
    String id = newId();
    Command.Running running = start(runSh(id, "sleep 1000"));
    awaitStatus(id, "RUNNING");
    ctr("tasks", "kill", "--signal", "KILL", id).succeeds();
    finish(running).exits(137);
  }

  /// ctr 1.6 forgets to close the input when it ends before the task is made, so this waits.
  @Test
  void inputReachesTheProgramToItsEnd() {
    String id = newId();
    List<String> words =
        new ArrayList<>(
            List.of(
                "sh",
                "-c",
                "(printf 'a\\nb\\n'; until %s tasks ls | grep -q '^%s .*RUNNING'; do sleep 0.1; done) | \"$@\""
                    .formatted(String.join(" ", containerd.ctr().words()), id),
                "sh"));
    words.addAll(run(List.of("--rm"), id, "cat").words());
    assertThat(Command.of(words).run().succeeds().out()).isEqualTo("a\nb\n");
  }

  @Test
  void aLongOutputArrivesWholeAndInOrder() {
    Outcome outcome = runSh(newId(), "seq 1 300000; echo last >&2").run().succeeds();
    StringBuilder expected = new StringBuilder();
    for (int i = 1; i <= 300_000; i++) expected.append(i).append('\n');
    assertThat(outcome.out().equals(expected.toString())).as("300000 lines").isTrue();
    assertThat(outcome.err()).contains("last");
  }

  @Test
  void aProgramThatIsNotThereFailsTheRunAndLeavesNothing() throws IOException {
    String id = newId();
    Outcome outcome = run(List.of("--rm"), id, "/no/such/program").run().fails();
    assertThat(outcome.err()).contains("/no/such/program", "no such file or directory");
    ctr("containers", "delete", id);
    List<String> left = new ArrayList<>();
    leftovers(left);
    assertThat(left).isEmpty();
  }

  @Test
  void createdThenStarted() {
    String id = newId();
    ctr(
            "containers",
            "create",
            "--runtime",
            Containerd.SHIM,
            Containerd.IMAGE,
            id,
            "expr",
            "3",
            "=",
            "4")
        .succeeds();
    Outcome outcome = ctr("tasks", "start", id).exits(1);
    assertThat(outcome.out()).isEqualTo("0\n");
    ctr("containers", "delete", id).succeeds();
  }

  @Test
  void detachedItRunsPausesResumesAndDies() {
    String id = sleeper();
    assertThat(status(id)).isEqualTo("RUNNING");
    assertThat(EndToEnd.runs(taskPid(id))).isTrue();
    ctr("tasks", "pause", id).succeeds();
    assertThat(status(id)).isEqualTo("PAUSED");
    exec(id, "early", "true").run().fails();
    ctr("tasks", "resume", id).succeeds();
    assertThat(status(id)).isEqualTo("RUNNING");
    exec(id, "e", "sh", "-c", "exit 3").run().exits(3);
    ctr("tasks", "delete", id).fails();
    ctr("tasks", "kill", "--signal", "KILL", id).succeeds();
    awaitStatus(id, "STOPPED");
    ctr("tasks", "kill", "--signal", "KILL", id).fails();
    assertThat(ctr("tasks", "delete", id).succeeds().err()).contains("137");
    assertThat(status(id)).isEmpty();
    ctr("containers", "delete", id).succeeds();
  }

  @Test
  void execHasItsOwnIoEnvironmentAndStatus() {
    String id = sleeper("--env", "A=b");
    Outcome outcome =
        exec(id, "e1", "sh", "-c", "echo $A; cat; echo e >&2; exit 5").input("in\n").run();
    assertThat(outcome.exits(5).out()).isEqualTo("b\nin\n");
    assertThat(outcome.err()).contains("e\n");
    exec(id, "e1", "true").run().succeeds(); // the id is free again
    ctr(
            "tasks",
            "exec",
            "--exec-id",
            "e2",
            "--user",
            "alice",
            "--cwd",
            "/tmp",
            id,
            "sh",
            "-c",
            "test $(id -u) = 1000 && test $(pwd) = /tmp")
        .succeeds();
    assertThat(exec(id, "e3", "nonesuch").run().fails().err()).contains("nonesuch");
    exec(id, "e3", "true").run().succeeds();
  }

  @Test
  void manyExecsAtOnceEndWithTheirOwnStatus() {
    String id = sleeper();
    List<Command.Running> all = new ArrayList<>();
    for (int i = 0; i < 20; i++)
      all.add(start(exec(id, "e" + i, "sh", "-c", "echo " + i + "; exit " + i)));
    for (int i = 0; i < 20; i++) assertThat(finish(all.get(i)).exits(i).text()).isEqualTo("" + i);
  }

  @Test
  void psListsTheProcessesWithTheirExecIds() {
    String id = sleeper();
    ctr("tasks", "exec", "--detach", "--exec-id", "other", id, "sleep", "999").succeeds();
    List<String> lines = ctr("tasks", "ps", id).succeeds().lines();
    assertThat(lines).anyMatch(line -> line.startsWith(taskPid(id) + " "));
    assertThat(lines) // as 1.6 prints the message, and as others do
        .hasSize(3)
        .anyMatch(line -> line.contains("ExecID:other") || line.contains("exec_id:\"other\""));
    ctr("tasks", "kill", "--signal", "KILL", "--exec-id", "other", id).succeeds();
    assertThat(EndToEnd.eventually(() -> ctr("tasks", "ps", id).lines().size() == 2)).isTrue();
    ctr("tasks", "delete", "--exec-id", "other", id);
    assertThat(status(id)).isEqualTo("RUNNING");
  }

  @Test
  void killAllReachesEveryProcess() {
    String id = sleeper();
    ctr("tasks", "exec", "--detach", "--exec-id", "other", id, "sleep", "999").succeeds();
    ctr("tasks", "kill", "--all", "--signal", "KILL", id).succeeds();
    awaitStatus(id, "STOPPED");
    assertThat(ctr("tasks", "delete", id).succeeds().err()).contains("137");
  }

  @Test
  void initTakesTheOthersAlongWhereThePidNamespaceIsShared() {
    String host = sleeper();
    String id = newId();
    run(
            List.of(
                "--detach",
                "--null-io",
                "--with-ns",
                "pid:/proc/%d/ns/pid".formatted(taskPid(host))),
            id,
            "sh",
            "-c",
            "sleep 998 & sleep 997 & sleep 996")
        .run()
        .succeeds();
    assertThat(EndToEnd.eventually(() -> ctr("tasks", "ps", id).lines().size() >= 4)).isTrue();
    List<Long> pids =
        ctr("tasks", "ps", id).lines().stream()
            .skip(1)
            .map(l -> Long.valueOf(l.split(" ")[0]))
            .toList();
    ctr("tasks", "kill", "--signal", "KILL", id).succeeds();
    awaitStatus(id, "STOPPED");
    assertThat(EndToEnd.eventually(() -> pids.stream().noneMatch(EndToEnd::runs))).isTrue();
  }

  @Test
  void optionsOfTheRuncMessageAreTaken() throws IOException {
    // ctr sends runc's options message to every runtime whose name it knows no better for
    String id = newId();
    run(List.of("--rm", "--no-pivot"), id, "echo", "moved").run();
    Path pidFile = containerd.temp().resolve("pid-file");
    String other = newId();
    run(List.of("--detach", "--null-io", "--pid-file", pidFile.toString()), other, "sleep", "1000")
        .run()
        .succeeds();
    assertThat(Files.readString(pidFile)).isEqualTo(String.valueOf(taskPid(other)));
  }

  @Test
  void metricsTellWhatTheCgroupUses() {
    String id = sleeper("--memory-limit", "67108864");
    Outcome outcome = ctr("tasks", "metrics", "--format", "json", id);
    assumeTrue(
        !outcome.err().contains("no metrics"), "runc's shim wants every v1 controller mounted");
    JsonNode metrics = Config.json(outcome.succeeds().out());
    JsonNode memory = metrics.at("/memory");
    assertThat(memory.at("/usage/limit").asLong() + memory.at("/usage_limit").asLong())
        .isEqualTo(67108864);
    assertThat(metrics.at("/pids/current").asLong()).isEqualTo(1);
  }

  @Test
  void aHundredAtOnce() throws IOException {
    // each is several processes of an emulated processor
    int count = Math.max(20, 100 / Command.PATIENCE);
    List<String> ids = new ArrayList<>();
    List<Command.Running> starting = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      String id = newId();
      ids.add(id);
      starting.add(run(List.of("--detach", "--null-io"), id, "sleep", "1000").start());
      if (starting.size() == 16) starting.removeFirst().finish().succeeds();
    }
    for (Command.Running each : starting) each.finish().succeeds();
    assertThat(ctr("tasks", "ls").lines().stream().filter(l -> l.endsWith("RUNNING")))
        .hasSize(count);
    List<Command.Running> ending = new ArrayList<>();
    for (String id : ids) {
      ending.add(containerd.ctr("tasks", "delete", "--force", id).start());
      if (ending.size() == 16) ending.removeFirst().finish();
    }
    for (Command.Running each : ending) each.finish();
    assertThat(ctr("tasks", "ls", "-q").lines()).isEmpty();
    ctr(Stream.concat(Stream.of("containers", "delete"), ids.stream()).toArray(String[]::new))
        .succeeds();
  }

  static Command.Running start(Command command) {
    try {
      return command.start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static Outcome finish(Command.Running running) {
    try {
      return running.finish();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static String soFar(Command.Running running) {
    try {
      return running.outputSoFar();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}

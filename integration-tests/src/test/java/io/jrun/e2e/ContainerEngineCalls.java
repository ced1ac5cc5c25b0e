package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// What docker and podman, whose command lines are the same, ask of a runtime. The tests' container
/// has the test's tag for its name.
abstract class ContainerEngineCalls extends EndToEnd {
  private static final String PROC_STATUS = "/proc/self/status";
  private static final String SHOW_NAMESPACES =
      "for n in net ipc pid; do readlink /proc/self/ns/$n; done";

  /// A command line of the container engine.
  abstract Command engine(String... arguments);

  /// Flags of `run` without which the engine's containers do not start on this machine.
  abstract List<String> requiredFlags();

  /// The status of an exec of a program that is not there, which each engine makes up itself.
  abstract int statusOfMissingProgram();

  final Command engineRun(String... rest) {
    List<String> words = new ArrayList<>(List.of("run"));
    words.addAll(requiredFlags());
    words.addAll(List.of(rest));
    return engine(words.toArray(String[]::new));
  }

  /// [#engineRun] in a network namespace with nothing but loopback.
  final Command isolatedRun(String... rest) {
    List<String> words = new ArrayList<>(List.of("--network", "none"));
    words.addAll(List.of(rest));
    return engineRun(words.toArray(String[]::new));
  }

  /// A container that runs until it is told to end, and then has the status 7.
  final void startLong(String... flags) {
    List<String> words = new ArrayList<>(List.of("--detach", "--name", tag));
    words.addAll(List.of(flags));
    words.addAll(
        List.of(
            BusyboxImage.NAME,
            "sh",
            "-c",
            "echo to-out; echo to-err >&2; trap 'exit 7' TERM; while :; do sleep 0.1; done"));
    isolatedRun(words.toArray(String[]::new)).run().succeeds();
  }

  final String inspect(String format) {
    return engine("inspect", "--format", format, tag).run().succeeds().text();
  }

  @Test
  void runGivesOutputAndStatus() {
    Outcome outcome =
        isolatedRun("--rm", BusyboxImage.NAME, "sh", "-c", "echo $FROM_IMAGE; echo e >&2; exit 42")
            .run()
            .exits(42);
    assertThat(outcome.text()).isEqualTo("yes");
    assertThat(outcome.err()).contains("e");
  }

  @Test
  void aProgramThatCannotRunHasDockersStatus() {
    assertThat(isolatedRun("--rm", BusyboxImage.NAME, "nosuch").run().exits(127).err())
        .contains("executable file not found");
    isolatedRun("--rm", BusyboxImage.NAME, "/etc").run().exits(126);
  }

  @Test
  void runWithATerminal() {
    assertThat(isolatedRun("--rm", "--tty", BusyboxImage.NAME, "tty").run().succeeds().text())
        .startsWith("/dev/pts/");
  }

  @Test
  void identityMountsAndCapabilities() throws IOException {
    Path shared = Files.createDirectory(temp.resolve("shared"));
    Files.writeString(shared.resolve("f"), "from-host");
    Outcome outcome =
        isolatedRun(
                "--rm",
                "--read-only",
                "--tmpfs",
                "/tmp",
                "--user",
                "1000:1000",
                "--cap-drop",
                "all",
                "--security-opt",
                "no-new-privileges",
                "--volume",
                shared + ":/mnt:ro",
                "--hostname",
                "e2e-host",
                BusyboxImage.NAME,
                "sh",
                "-c",
                "id -u; cat /mnt/f; echo; hostname; grep -E 'CapEff|NoNewPrivs|^Seccomp:' /proc/self/status;"
                    + " touch /tmp/x && echo writable; touch /x || echo readonly")
            .run()
            .succeeds();
    assertThat(outcome.out().replaceAll("\\s+", " ").strip())
        .isEqualTo(
            "1000 from-host e2e-host CapEff: 0000000000000000 NoNewPrivs: 1 Seccomp: 2 writable readonly");
  }

  /// A privileged container and exec have the capabilities that this process can have, also where
  /// the engine asks for all that it knows.
  final void privilegedHasAllThatCanBeHad() throws IOException {
    long known = (1L << 38) - 1; // to Docker Engine 20
    long bounding = 0;
    for (String line : Files.readAllLines(Path.of("/proc/self/status")))
      if (line.startsWith("CapBnd:")) bounding = mask(line);
    Outcome run =
        isolatedRun("--rm", "--privileged", BusyboxImage.NAME, "grep", "CapEff", PROC_STATUS).run();
    assertThat(mask(run.succeeds().text()) & known).isEqualTo(bounding & known);
    startLong();
    Outcome exec = engine("exec", "--privileged", tag, "grep", "CapEff", PROC_STATUS).run();
    assertThat(mask(exec.succeeds().text()) & known).isEqualTo(bounding & known);
  }

  private static long mask(String line) {
    return Long.parseUnsignedLong(line.split(":\\s*")[1].strip(), 16);
  }

  @Test
  void aTerminalsLinesBeginAtTheLeft() {
    Outcome outcome =
        isolatedRun("--rm", "--tty", BusyboxImage.NAME, "sh", "-c", "echo one; echo two").run();
    assertThat(outcome.succeeds().out()).isEqualTo("one\r\ntwo\r\n");
  }

  @Test
  void execHasStatusOutputAndTerminal() {
    startLong();
    assertThat(engine("exec", tag, "sh", "-c", "echo inside; exit 9").run().exits(9).text())
        .isEqualTo("inside");
    assertThat(engine("exec", "--tty", tag, "tty").run().succeeds().text()).startsWith("/dev/pts/");
    assertThat(
            engine(
                    "exec",
                    "--user",
                    "1000",
                    "--workdir",
                    "/tmp",
                    "--env",
                    "A=b",
                    tag,
                    "sh",
                    "-c",
                    "id -u; pwd; echo $A")
                .run()
                .succeeds()
                .lines())
        .containsExactly("1000", "/tmp", "b");
    engine("exec", tag, "nosuch").run().exits(statusOfMissingProgram());
    engine("exec", "--detach", tag, "sleep", "77").run().succeeds();
    assertThat(eventually(() -> engine("top", tag).run().succeeds().out().contains("sleep 77")))
        .isTrue();
  }

  @Test
  void logsHaveBothStreams() {
    startLong();
    assertThat(
            eventually(() -> {
              Outcome logs = engine("logs", tag).run().succeeds();
              String all = logs.out() + logs.err();
              return all.contains("to-out") && all.contains("to-err");
            }))
        .isTrue();
  }

  @Test
  void killWaitStartAndRm() {
    startLong();
    engine("rm", tag).run().fails();
    engine("kill", "--signal", "TERM", tag).run().succeeds();
    assertThat(engine("wait", tag).run().succeeds().text()).isEqualTo("7");
    assertThat(inspect("{{.State.Status}} {{.State.ExitCode}}")).isEqualTo("exited 7");
    engine("start", tag).run().succeeds();
    engine("kill", tag).run().succeeds();
    assertThat(engine("wait", tag).run().succeeds().text()).isEqualTo("137");
    engine("rm", tag).run().succeeds();
    assertThat(engine("ps", "--all", "--quiet").run().succeeds().text()).isEmpty();
  }

  @Test
  void containersShareNamespaces() {
    startLong("--ipc", "shareable");
    String own = engine("exec", tag, "sh", "-c", SHOW_NAMESPACES).run().succeeds().text();
    assertThat(
            engineRun(
                    "--rm",
                    "--network",
                    "container:" + tag,
                    "--ipc",
                    "container:" + tag,
                    "--pid",
                    "container:" + tag,
                    BusyboxImage.NAME,
                    "sh",
                    "-c",
                    SHOW_NAMESPACES)
                .run()
                .succeeds()
                .text())
        .isEqualTo(own);
  }
}

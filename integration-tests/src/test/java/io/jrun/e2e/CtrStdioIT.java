package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Terminals, attaching, and loggers.
class CtrStdioIT extends ContainerdTest {
  private static final String DRIVER =
      Path.of(
              System.getProperty("basedir", "integration-tests"),
              "src/test/resources/pty-driver.py")
          .toString();

  /// Runs a command on a pseudoterminal and talks to it; see pty-driver.py.
  static Outcome onTerminal(Command command, String steps) {
    List<String> words = new ArrayList<>(List.of("python3", DRIVER, "run", steps, "--"));
    words.addAll(command.words());
    return Command.of(words).run();
  }

  @Test
  void aTerminalTalksResizesAndEnds() {
    Outcome outcome =
        onTerminal(
            run(List.of("--rm", "--tty"), newId(), "sh"),
            """
            [["expect","# "],["send","test -t 0 && test -t 1 && test -t 2 && echo is''tty\\n"],["expect","istty"],
             ["resize",33,77],["send","until stty size | grep '33 7''7'; do sleep 0.1; done\\n"],["expect","33 77"],
             ["send","exit 6\\n"]]\
            """);
    assertThat(outcome.exits(6).out()).contains("33 77");
  }

  @Test
  void interruptReachesTheProgram() {
    onTerminal(
            run(
                List.of("--rm", "--tty"),
                newId(),
                "sh",
                "-c",
                "trap 'exit 8' INT; echo re''ady; while :; do sleep 0.1; done"),
            """
            [["expect","ready"],["send","\\u0003"]]\
            """)
        .exits(8);
  }

  @Test
  void execOnATerminal() {
    String id = sleeper();
    onTerminal(
            containerd.ctr("tasks", "exec", "--tty", "--exec-id", "t", id, "sh"),
            """
            [["expect","# "],["send","echo a''b; exit 5\\n"],["expect","ab"]]\
            """)
        .exits(5);
  }

  @Test
  void aClientComesAndGoesAtTheTerminal() {
    String id = newId();
    onTerminal(run(List.of("--detach", "--tty"), id, "sh"), "[]").succeeds();
    for (int i = 0; i < 2; i++) {
      // without an end of the session: the driver kills the client, the container runs on
      String seconds = String.valueOf(3 * Command.PATIENCE);
      List<String> attach =
          new ArrayList<>(List.of("timeout", "--foreground", "-s", "KILL", seconds));
      attach.addAll(containerd.ctr("tasks", "attach", id).words());
      Outcome gone =
          onTerminal(
              Command.of(attach),
              """
              [["send","echo a''b%d\\n"],["expect","ab%d"]]\
              """
                  .formatted(i, i));
      assertThat(gone.out()).contains("ab" + i);
      assertThat(status(id)).isEqualTo("RUNNING");
    }
  }

  @Test
  void whatNobodyReadsWaitsForWhoComes() throws IOException {
    String id = newId();
    run(
            List.of("--detach"),
            id,
            "sh",
            "-c",
            "until test -e /tmp/go; do sleep 0.1; done; echo first; touch /tmp/said; sleep 1000")
        .run()
        .succeeds();
    exec(id, "go", "touch", "/tmp/go").run().succeeds(); // the first client has gone
    assertThat(
            EndToEnd.eventually(() -> exec(id, "e", "test", "-e", "/tmp/said").run().status() == 0))
        .isTrue();
    Command.Running client = containerd.ctr("tasks", "attach", id).start();
    try {
      assertThat(EndToEnd.eventually(() -> CtrIT.soFar(client).equals("first\n"))).isTrue();
    } finally {
      client.process().destroyForcibly();
      client.finish();
    }
    assertThat(status(id)).isEqualTo("RUNNING");
  }

  @Test
  void aFileTakesBothOutputsAndIsAppendedTo() throws IOException {
    Path file = containerd.temp().resolve("logs/deep/file.log");
    for (int i = 0; i < 2; i++) {
      String id = newId();
      run(
              List.of("--detach", "--log-uri", "file://" + file),
              id,
              "sh",
              "-c",
              "echo out" + i + "; echo err" + i + " >&2")
          .run()
          .succeeds();
      awaitStatus(id, "STOPPED");
      ctr("tasks", "delete", id).succeeds();
    }
    // runc's shim copies the two through pipes of their own
    List<String> lines = Files.readAllLines(file);
    assertThat(lines.subList(0, 2)).containsExactlyInAnyOrder("out0", "err0");
    assertThat(lines.subList(2, lines.size())).containsExactlyInAnyOrder("out1", "err1");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
        .isEqualTo("rw-r--r--");
  }

  @Test
  void aLoggerGetsBothOutputs() throws IOException {
    Path logger = containerd.temp().resolve("logger");
    Files.writeString(
        logger,
        """
        #!/bin/sh
        echo "$CONTAINER_NAMESPACE $CONTAINER_ID $*" > $2.about
        cat <&3 > $2.out 5>&- &
        cat <&4 > $2.err 5>&- &
        exec 5>&-
        wait
        echo done >> $2.about
        """);
    Files.setPosixFilePermissions(logger, PosixFilePermissions.fromString("rwxr-xr-x"));
    String id = newId();
    Path to = containerd.temp().resolve("logged-" + id);
    run(
            List.of("--detach", "--log-uri", "binary://" + logger + "?to=" + to),
            id,
            "sh",
            "-c",
            "seq 1 20000; echo problem >&2")
        .run()
        .succeeds();
    awaitStatus(id, "STOPPED");
    ctr("tasks", "delete", id).succeeds();
    assertThat(Files.readString(Path.of(to + ".about")))
        .isEqualTo(containerd.tag() + " " + id + " to " + to + "\ndone\n");
    assertThat(Files.readString(Path.of(to + ".out")).lines().count()).isEqualTo(20000);
    assertThat(Files.readString(Path.of(to + ".err"))).isEqualTo("problem\n");
  }

  @Test
  void aLoggerThatIsNotThereFailsTheStart() {
    String id = newId();
    assertThat(
            run(List.of("--detach", "--log-uri", "binary:///no/such/logger"), id, "true")
                .run()
                .fails()
                .err())
        .contains("/no/such/logger");
  }
}

package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What a container that is saved has open: terminals, pipes, locks and sockets.
@EnabledIf(value = "io.jrun.e2e.CheckpointTest#criuWorks", disabledReason = CheckpointTest.NO_CRIU)
class CheckpointDescriptorsIT extends CheckpointTest {
  @Test
  void theTerminalComesOverTheConsoleSocket() throws IOException {
    Machine.assumeInstalled("python3");
    config
        .set("/process/terminal", "true")
        .sh("stty -echo; while read line; do echo got-$line; done");
    Path socket = temp.resolve("console.sock");
    Command.Running first = keepTerminal(socket, "one");
    onBundle("run", "-d", "--console-socket", socket.toString()).run().succeeds();
    assertThat(eventually(() -> said(first).contains("got-one"))).isTrue();
    checkpoint().succeeds();
    first.process().destroy();
    first.finish();
    Command.Running second = keepTerminal(socket, "two");
    restoreCommand("-d", "--console-socket", socket.toString()).run().succeeds();
    assertThat(eventually(() -> said(second).contains("got-two"))).isTrue();
    second.process().destroy();
    second.finish();
  }

  /// Receives a terminal, writes a line to it, and shows what comes until it is ended.
  private Command.Running keepTerminal(Path socket, String line) throws IOException {
    Files.deleteIfExists(socket);
    String script =
        """
        import os, socket, sys
        listener = socket.socket(socket.AF_UNIX); listener.bind(sys.argv[1]); listener.listen(1)
        master = socket.recv_fds(listener.accept()[0], 4096, 1)[1][0]
        os.write(master, (sys.argv[2] + "\\n").encode())
        while True: os.write(1, os.read(master, 4096))
        """;
    Command.Running running = Command.of("python3", "-c", script, socket.toString(), line).start();
    assertThat(eventually(() -> Files.exists(socket))).isTrue();
    return running;
  }

  @Test
  void pipesOfTheCallerAreInherited() throws IOException {
    config.sh("while read line; do echo got-$line; done");
    bundle.write(config);
    String script =
        """
        set -e
        exec 7<> <(:) 8<> <(:) # anonymous pipes, as named ones are files from outside
        "$RUNTIME" --root "$ROOT" run -d --bundle "$BUNDLE" "$ID" < /proc/self/fd/7 > /proc/self/fd/8 2> /dev/null
        echo one >&7; read -t 10 a <&8
        "$RUNTIME" --root "$ROOT" checkpoint --image-path "$IMAGES" "$ID"
        "$RUNTIME" --root "$ROOT" restore -d --image-path "$IMAGES" --bundle "$BUNDLE" "$ID" < /proc/self/fd/7 > /proc/self/fd/8 2> /dev/null
        echo two >&7; read -t 10 b <&8
        echo "$a $b"
        """;
    assumeTrue(Files.isExecutable(Path.of("/bin/bash")), "bash is not installed");
    assertThat(
            Command.of("bash", "-c", script)
                .with("RUNTIME", RUNTIME.path().toString())
                .with("ROOT", root.toString())
                .with("BUNDLE", bundle.path().toString())
                .with("ID", id)
                .with("IMAGES", images.toString())
                .in(temp)
                .run()
                .succeeds()
                .text())
        .isEqualTo("got-one got-two");
  }

  /// A container with its caller's terminal, as one that a shell has put in the background. It
  /// needs no flag, and takes it.
  @ParameterizedTest
  @ValueSource(strings = {"--shell-job", "--file-locks"})
  @JrunOnly // with runc CRIU fails
  void aShellJobTakesTheNextTerminal(String flag) throws IOException {
    config.sh("trap '[ -t 0 ] && echo yes > /mnt/terminal' USR1; " + COUNT);
    Command.Running first = onATerminal(onBundle("run", "-d")).start();
    awaitCountAbove(0);
    checkpoint(flag).succeeds();
    first.finish().succeeds();
    int saved = count();
    Command.Running second = onATerminal(restoreCommand("-d", flag)).start();
    awaitCountAbove(saved);
    assertThat(status()).isEqualTo("running");
    runtime("kill", id, "USR1").succeeds();
    assertThat(eventually(() -> out.resolve("terminal").toFile().length() > 0)).isTrue();
    killAndDelete();
    second.finish().succeeds();
  }

  @Test
  void theTerminalOfTheForegroundIsTheNextOne() throws IOException {
    config.set("/process/terminal", "true");
    Command.Running first = onATerminal(onBundle("run")).start();
    awaitCountAbove(0);
    checkpoint("--shell-job").succeeds();
    first.finish().exits(137);
    int saved = count();
    Command.Running second = onATerminal(restoreCommand("--shell-job")).start();
    awaitCountAbove(saved);
    runtime("kill", id, "TERM").succeeds();
    second.finish().exits(9);
    assertThat(ids()).isEmpty();
  }

  /// The command with a terminal of its own.
  private static Command onATerminal(Command command) {
    Machine.assumeInstalled("python3");
    String script =
        "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";
    List<String> words = new ArrayList<>(List.of("python3", "-c", script));
    words.addAll(command.words());
    return Command.of(words);
  }

  /// A datagram socket is connected again. CRIU knows peers in the same network namespace only, and
  /// by the host's path.
  @Test
  void unixSocketsWithAPeerOutsideNeedTheirFlag() throws IOException {
    bringPython();
    config.namespaces("pid", "mount", "ipc", "uts");
    config.mount("{destination:'%s',type:'bind',source:'%s',options:['bind']}".formatted(out, out));
    String listens =
        """
        import os, socket, sys
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); listener.bind(sys.argv[1])
        while True: os.write(1, listener.recv(100) + b'\\n')
        """;
    Path socket = out.resolve("log.sock");
    Command.Running peer = Command.of("python3", "-c", listens, socket.toString()).start();
    try {
      assertThat(eventually(() -> Files.exists(socket))).isTrue();
      config.args(
          "python3",
          "-c",
          "import socket\nlog = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\nlog.connect('"
              + socket
              + "')\n"
              + COUNT_IN_PYTHON.replace("time.sleep", "log.send(str(i).encode()); time.sleep"));
      startCounting();
      assertThat(eventually(() -> !said(peer).isEmpty())).isTrue();
      checkpoint().fails();
      assertThat(status()).isEqualTo("running");
      checkpoint("--ext-unix-sk").succeeds();
      int saved = count();
      restore("--ext-unix-sk");
      awaitCountAbove(saved);
      assertThat(eventually(() -> said(peer).contains("\n" + (saved + 5) + "\n"))).isTrue();
    } finally {
      peer.process().destroy();
      peer.finish();
    }
  }

  /// Lets the container use the host's python3.
  private void bringPython() throws IOException {
    assumeTrue(
        Files.isSymbolicLink(Path.of("/lib")) && Files.exists(Path.of("/usr/bin/python3")),
        "no python3 in a merged /usr");
    config.mount("{destination:'/usr',type:'bind',source:'/usr',options:['bind','ro']}");
    for (String name : List.of("lib", "lib64"))
      Files.createSymbolicLink(bundle.rootfs().resolve(name), Path.of("usr", name));
  }

  private static final String COUNT_IN_PYTHON =
      """
      import itertools, os, time
      for i in itertools.count(1):
          open('/mnt/new', 'w').write(str(i)); os.rename('/mnt/new', '/mnt/count'); time.sleep(0.05)
      """;

  @Test
  void fileLocksNeedTheirFlag() throws IOException {
    bringPython();
    config
        .writableRoot()
        .args(
            "python3",
            "-c",
            "import fcntl\nlock = open('/tmp/lock', 'w')\nfcntl.flock(lock, fcntl.LOCK_EX)\n"
                + COUNT_IN_PYTHON);
    startCounting();
    checkpoint().fails();
    assertThat(status()).as("a failed checkpoint leaves the container").isEqualTo("running");
    awaitCountAbove(count());
    checkpoint("--file-locks").succeeds();
    int saved = count();
    restore("--file-locks");
    awaitCountAbove(saved);
    runtime(
            "exec",
            id,
            "python3",
            "-c",
            "import fcntl; fcntl.flock(open('/tmp/lock'), fcntl.LOCK_EX | fcntl.LOCK_NB)")
        .exits(1);
  }

  @Test
  @JrunOnly // runc leaves lo down after a restore, and CRIU cannot connect
  void tcpConnectionsNeedTheirFlag() throws IOException {
    bringPython();
    config.args(
        "python3",
        "-c",
        """
        import socket
        listener = socket.create_server(('127.0.0.1', 4321))
        one = socket.create_connection(('127.0.0.1', 4321)); two = listener.accept()[0]
        import itertools, os, time
        for i in itertools.count(1):
            one.send(str(i).encode()); got = two.recv(100)
            open('/mnt/new', 'wb').write(got); os.rename('/mnt/new', '/mnt/count'); time.sleep(0.05)
        """);
    startCounting();
    checkpoint().fails();
    awaitCountAbove(count());
    Outcome saving = checkpoint("--tcp-established");
    assumeTrue(
        saving.status() == 0 || !log("dump.log").contains("Operation not supported"),
        "this kernel does not tell criu all of a socket");
    saving.succeeds();
    int saved = count();
    quietly(restoreCommand("--detach")).fails();
    assertThat(ids()).as("a failed restore leaves nothing").isEmpty();
    assertThat(cgroups()).isEmpty();
    restore("--tcp-established");
    awaitCountAbove(saved);
  }
}

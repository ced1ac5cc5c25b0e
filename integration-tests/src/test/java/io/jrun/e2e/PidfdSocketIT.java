package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/// `--pidfd-socket`; python3 listens.
class PidfdSocketIT extends EndToEnd {
  /// Receives one message and prints it with the pid behind the descriptor; then kills through it.
  private static final String LISTENER =
      """
      import os, re, signal, socket, subprocess, sys
      listener = socket.socket(socket.AF_UNIX)
      listener.bind(sys.argv[1]); listener.listen(1); listener.settimeout(20)
      command = subprocess.Popen(sys.argv[2:])
      peer, _ = listener.accept()
      text, fds, _, _ = socket.recv_fds(peer, 100, 4)
      info = open("/proc/self/fdinfo/%d" % fds[0]).read()
      print(text.decode(), len(fds), re.search(r"^Pid:\\s*(\\d+)", info, re.M).group(1), flush=True)
      status = command.wait()
      if status == 0: signal.pidfd_send_signal(fds[0], signal.SIGKILL)
      sys.exit(status)
      """
          .replace("\\\\", "\\");

  private Outcome listen(Command command) {
    List<String> words =
        new java.util.ArrayList<>(
            List.of("python3", "-c", LISTENER, temp.resolve("pidfd.sock").toString()));
    words.addAll(command.words());
    return Command.of(words).run();
  }

  private String flag() {
    return temp.resolve("pidfd.sock").toString();
  }

  @Test
  void createHandsOutInit() throws IOException {
    RUNTIME.assumeRecent("--pidfd-socket");
    Path pidFile = temp.resolve("pid");
    config.args("sleep", "1000");
    Outcome outcome =
        listen(onBundle("create", "--pidfd-socket", flag(), "--pid-file", pidFile.toString()))
            .succeeds();
    assertThat(outcome.text()).isEqualTo("standard 1 " + Files.readString(pidFile));
    awaitStatus("stopped");
  }

  @Test
  void execHandsOutTheProcess() throws IOException {
    RUNTIME.assumeRecent("--pidfd-socket");
    startSleeper();
    Path pidFile = temp.resolve("pid");
    Outcome outcome =
        listen(
                command(
                    "exec",
                    "-d",
                    "--pidfd-socket",
                    flag(),
                    "--pid-file",
                    pidFile.toString(),
                    id,
                    "sleep",
                    "999"))
            .succeeds();
    String pid = Files.readString(pidFile);
    assertThat(outcome.text()).isEqualTo("setns 1 " + pid);
    assertThat(eventually(() -> !Files.exists(Path.of("/proc", pid, "root")))).isTrue();
    assertThat(status()).isEqualTo("running");
  }

  @Test
  void aMissingSocketFailsAndLeavesNothing() throws IOException {
    RUNTIME.assumeRecent("--pidfd-socket");
    onBundle("create", "--pidfd-socket", temp + "/none").run().fails();
    assertThat(ids()).isEmpty();
  }
}

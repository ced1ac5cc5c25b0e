package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/// SCMP_ACT_NOTIFY; python3 is the agent at listenerPath.
class SeccompNotifyIT extends EndToEnd {
  /// Runs a command, answers its notifications with EXDEV, and prints each message that came with a
  /// descriptor, then how many calls it answered.
  private static final String AGENT =
      """
      import array, fcntl, os, select, socket, struct, subprocess, sys
      listener = socket.socket(socket.AF_UNIX)
      listener.bind(sys.argv[1]); listener.listen(4)
      command = subprocess.Popen(sys.argv[2:])
      answered, poll = 0, select.poll()
      poll.register(listener, select.POLLIN)
      while command.poll() is None:
          for file, events in poll.poll(50):
              if not events & select.POLLIN: # before Linux 6.11 a receive would wait for ever
                  poll.unregister(file)
              elif file == listener.fileno():
                  peer, _ = listener.accept()
                  text, fds, _, _ = socket.recv_fds(peer, 65536, 4)
                  print(text.decode(), flush=True)
                  for fd in fds: poll.register(fd, select.POLLIN)
              else:
                  request = bytearray(80)
                  try:
                      fcntl.ioctl(file, 0xc0502100, request)
                      ident = struct.unpack_from("Q", request)[0]
                      fcntl.ioctl(file, 0xc0182101, bytearray(struct.pack("QqiI", ident, 0, -18, 0)))
                      answered += 1
                  except OSError:
                      poll.unregister(file)
      print("answered", answered)
      sys.exit(command.returncode)
      """;

  @BeforeEach
  void notifyMkdir() {
    config
        .set(
            "/linux/seccomp",
            "{defaultAction:'SCMP_ACT_ALLOW',listenerPath:'%s',listenerMetadata:'some words',syscalls:[{names:['mkdir','mkdirat'],action:'SCMP_ACT_NOTIFY'}]}"
                .formatted(temp.resolve("agent.sock")))
        .writableRoot()
        .set("/annotations", "{key:'value'}");
  }

  private Outcome withAgent(Command command) {
    List<String> words =
        new ArrayList<>(List.of("python3", "-c", AGENT, temp.resolve("agent.sock").toString()));
    words.addAll(command.words());
    return Command.of(words).run();
  }

  private void check(Outcome outcome, String status) {
    JsonNode message = Config.json(outcome.lines().getFirst());
    assertThat(message.get("fds").toString()).isEqualTo("[\"seccompFd\"]");
    assertThat(message.get("pid").asInt()).isPositive();
    assertThat(message.get("metadata").asString()).isEqualTo("some words");
    assertThat(message.at("/state/id").asString()).isEqualTo(id);
    assertThat(message.at("/state/bundle").asString()).isEqualTo(bundle.path().toString());
    assertThat(message.at("/state/annotations/key").asString()).isEqualTo("value");
    if (RUNTIME.isJrun()) assertThat(message.at("/state/status").asString()).isEqualTo(status);
    assertThat(outcome.lines().getLast()).isEqualTo("answered 1");
  }

  @Test
  void theAgentAnswersForTheProgram() throws IOException {
    config.sh("mkdir /made 2>&1; test ! -e /made");
    Outcome outcome = withAgent(onBundle("run"));
    assertThat(outcome.succeeds().out()).contains("cross-device link");
    check(outcome, "created");
  }

  @Test
  void withoutNoNewPrivilegesToo() throws IOException {
    config.set("/process/noNewPrivileges", "false").sh("mkdir /made 2>&1; test ! -e /made");
    Outcome outcome = withAgent(onBundle("run"));
    assertThat(outcome.succeeds().out()).contains("cross-device link");
    check(outcome, "creating");
  }

  @Test
  void execHasAListenerOfItsOwn() throws IOException {
    config.args("sleep", "1000");
    String exec = String.join(" ", command("exec", id, "sh", "-c").words());
    List<String> words =
        new ArrayList<>(
            List.of("sh", "-c", "\"$@\" && exec " + exec + " 'mkdir /made 2>&1; true'", "sh"));
    words.addAll(onBundle("run", "--detach").words());
    Outcome outcome = withAgent(Command.of(words)).succeeds();
    assertThat(outcome.out()).contains("cross-device link").endsWith("answered 1\n");
    List<JsonNode> messages =
        outcome.lines().stream().filter(line -> line.startsWith("{")).map(Config::json).toList();
    assertThat(messages).hasSize(2);
    assertThat(messages.get(1).at("/state/status").asString()).isEqualTo("running");
    assertThat(messages.get(1).get("pid").asInt())
        .isNotEqualTo(messages.get(1).at("/state/pid").asInt());
    assertThat(bundle.rootfs().resolve("made")).doesNotExist();
    runtime("delete", "--force", id).succeeds();
  }

  @Test
  void withoutAnAgentNothingRuns() throws IOException {
    config.args("true");
    assertThat(run().fails().err()).contains("failed to connect with seccomp agent");
    assertThat(ids()).isEmpty();
  }
}

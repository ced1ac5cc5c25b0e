package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// conmon alone, called as CRI-O and podman call it: it creates the container, is its parent, keeps
/// its log, and writes its exit status to a file.
class ConmonIT extends EndToEnd {
  private Path exits = Path.of("/");
  private Path log = Path.of("/");

  @BeforeEach
  void makeDirectories() throws IOException {
    Machine.assumeInstalled("conmon");
    exits = Files.createDirectory(temp.resolve("exits"));
    log = temp.resolve("log");
  }

  private Command conmon(String... rest) {
    List<String> words =
        new ArrayList<>(
            List.of(
                "conmon",
                "--api-version",
                "1",
                "-c",
                id,
                "-u",
                id,
                "-n",
                id,
                "-r",
                RUNTIME.path().toString(),
                "--runtime-arg",
                "--root",
                "--runtime-arg",
                root.toString(),
                "-b",
                bundle.path().toString(),
                "-l",
                "k8s-file:" + log,
                "--exit-dir",
                exits.toString(),
                "--socket-dir-path",
                temp.toString(),
                "--conmon-pidfile",
                temp + "/conmon.pid"));
    words.addAll(List.of(rest));
    return Command.of(words).in(bundle.path());
  }

  private void createThroughConmon(String... rest) throws IOException {
    bundle.write(config);
    List<String> words = new ArrayList<>(List.of("-p", temp + "/pid"));
    words.addAll(List.of(rest));
    conmon(words.toArray(String[]::new)).run().succeeds();
    assertThat(eventually(() -> known())).as("conmon has created the container").isTrue();
  }

  private boolean known() {
    Outcome state = runtime("state", id);
    return state.status() == 0
        && Config.json(state.out()).get("status").asString().equals("created");
  }

  private String exitStatus() throws IOException {
    Path file = exits.resolve(id);
    assertThat(eventually(() -> isWritten(file))).as("conmon writes an exit file").isTrue();
    return Files.readString(file).strip();
  }

  private static boolean isWritten(Path file) {
    try {
      return Files.exists(file) && Files.size(file) > 0;
    } catch (IOException e) {
      return false;
    }
  }

  /// conmon ends, whatever it has adopted meanwhile.
  private void conmonEnds() throws IOException {
    long pid = Long.parseLong(Files.readString(temp.resolve("conmon.pid")).strip());
    assertThat(eventually(() -> ProcessHandle.of(pid).isEmpty())).as("conmon ends").isTrue();
  }

  @Test
  void theStatusOfAProgramThatExits() throws IOException {
    config.sh("echo to-out; echo to-err >&2; exit 42");
    createThroughConmon();
    runtime("start", id).succeeds();
    assertThat(exitStatus()).isEqualTo("42");
    assertThat(Files.readString(log)).contains("stdout F to-out", "stderr F to-err");
    conmonEnds();
    runtime("delete", id).succeeds();
  }

  @Test
  void theStatusOfAProgramThatIsKilled() throws IOException {
    config.args("sleep", "1000");
    createThroughConmon();
    runtime("start", id).succeeds();
    runtime("kill", id, "KILL").succeeds();
    assertThat(exitStatus()).isEqualTo("137");
    conmonEnds();
    runtime("delete", id).succeeds();
  }

  @Test
  void aTerminal() throws IOException {
    config.set("/process/terminal", "true").sh("tty; exit 3");
    createThroughConmon("--terminal");
    runtime("start", id).succeeds();
    assertThat(exitStatus()).isEqualTo("3");
    // a line that came in two parts is two, the first of them P
    assertThat(Files.readString(log)).containsPattern("stdout [FP] /dev/pts/0");
    conmonEnds();
    runtime("delete", id).succeeds();
  }

  @Test
  void theStatusOfAnExec() throws IOException {
    startSleeper();
    Path process = temp.resolve("process.json");
    Files.writeString(
        process,
        Config.json(Files.readString(bundle.path().resolve("config.json")))
            .get("process")
            .toString()
            .replace("\"sleep\",\"1000\"", "\"sh\",\"-c\",\"echo inside; exit 9\""));
    conmon("-e", "--exec-process-spec", process.toString(), "-p", temp + "/exec.pid")
        .run()
        .succeeds();
    assertThat(exitStatus()).isEqualTo("9");
    assertThat(Files.readString(log)).contains("stdout F inside");
    conmonEnds();
    killAndDelete();
  }

  @Test
  void aProgramThatIsNotThere() throws IOException {
    config.args("nosuch");
    bundle.write(config);
    conmon("-p", temp + "/pid").run();
    conmonEnds();
    assertThat(ids()).isEmpty();
  }
}

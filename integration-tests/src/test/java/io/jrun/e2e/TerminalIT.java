package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Terminals: on the caller's own, and through a console socket. python3 plays the user.
class TerminalIT extends EndToEnd {

  @SuppressWarnings("NullAway.Init")
  private Path driver;

  @BeforeEach
  void makeDriver() throws IOException {
    try {
      Command.of("python3", "--version").run().succeeds();
    } catch (java.io.UncheckedIOException e) {
      throw new AssertionError("these tests need python3: apt-get install python3", e);
    }
    driver = temp.resolve("pty-driver.py");
    try (InputStream script =
        Objects.requireNonNull(TerminalIT.class.getResourceAsStream("/pty-driver.py"))) {
      Files.copy(script, driver);
    }
    config.set("/process/terminal", "true");
  }

  /// The steps are JSON; see the driver.
  private Outcome talk(String steps, Command command) {
    List<String> words =
        new ArrayList<>(
            List.of("python3", driver.toString(), "run", Config.json(steps).toString(), "--"));
    words.addAll(command.words());
    return Command.of(words).run();
  }

  private Outcome console(String steps, Command command, Path socket) {
    List<String> words =
        new ArrayList<>(
            List.of(
                "python3",
                driver.toString(),
                "console",
                socket.toString(),
                Config.json(steps).toString(),
                "--"));
    words.addAll(command.words());
    return Command.of(words).run();
  }

  @Test
  void anInteractiveShell() throws IOException {
    config.args("sh");
    Outcome outcome =
        talk(
                "[['expect','# '],['send','echo a$((1+1))b\\n'],['expect','a2b'],['expect','# '],['send','exit 5\\n']]",
                onBundle("run"))
            .exits(5);
    assertThat(outcome.out()).contains("a2b");
  }

  @Test
  void eachLineBeginsAtTheLeft() throws IOException {
    config.sh("echo first; echo second");
    assertThat(talk("[]", onBundle("run")).succeeds().out()).contains("first\r\nsecond\r\n");
  }

  @Test
  void soItDoesForWhoGetsTheTerminalOverASocket() throws IOException {
    String script = "cat; echo first; echo second; sleep 1000";
    String steps = "[['send','\\u0004'],['expect','first\\r\\nsecond\\r\\n']]";
    Path socket = temp.resolve("console.sock");
    config.sh(script);
    console(steps, onBundle("run", "-d", "--console-socket", socket.toString()), socket).succeeds();
    runtime("delete", "--force", id).succeeds();
    id = newId();
    config.set("/process/terminal", "false");
    startSleeper();
    String other = temp.resolve("other.sock").toString();
    Command exec = command("exec", "-d", "-t", "--console-socket", other, id, "sh", "-c", script);
    console(steps, exec, Path.of(other)).succeeds();
  }

  @Test
  void stdioIsATerminalCalledConsole() throws IOException {
    config.sh("test -t 0 && test -t 1 && test -t 2 && tty && stat -c '%F' /dev/console");
    assertThat(talk("[]", onBundle("run")).succeeds().out())
        .contains("/dev/pts/0")
        .contains("character special file");
  }

  @Test
  void theTerminalIsTheControllingOne() throws IOException {
    config.sh("echo to tty > /dev/tty; ps -o pid,tty | head -3");
    assertThat(talk("[['expect','to tty']]", onBundle("run")).succeeds().out()).contains("to tty");
  }

  @Test
  void sizeFollowsTheCallers() throws IOException {
    config.args("sh");
    talk(
            "[['expect','# '],['resize',33,101],['send','sleep 0.3; stty size\\n'],['expect','33 101'],['expect','# '],"
                + "['resize',44,122],['send','sleep 0.3; stty size\\n'],['expect','44 122'],['expect','# '],['send','exit\\n']]",
            onBundle("run"))
        .succeeds();
  }

  @Test
  void consoleSizeWithoutATerminalIsIgnored() throws IOException {
    config.set("/process/terminal", "false").set("/process/consoleSize", "{height:21,width:77}");
    runSh("! [ -t 1 ]").succeeds();
  }

  @Test
  void consoleSizeIsTheFirstSize() throws IOException {
    config.set("/process/consoleSize", "{height:21,width:77}").sh("sleep 0.2; stty size; cat");
    Path socket = temp.resolve("console.sock");
    console(
            "[['expect','21 77']]",
            onBundle("run", "-d", "--console-socket", socket.toString()),
            socket)
        .succeeds();
  }

  @Test
  void controlCInterruptsTheProgram() throws IOException {
    config.sh("trap 'echo caught; exit 6' INT; echo ready; while :; do sleep 0.05; done");
    talk("[['expect','ready'],['send','\\u0003'],['expect','caught']]", onBundle("run")).exits(6);
  }

  @Test
  void controlDEndsInput() throws IOException {
    config.args("cat");
    talk(
            "[['send','line\\n'],['expect','line'],['expect','line'],['send','\\u0004']]",
            onBundle("run"))
        .succeeds();
  }

  /// runc and crun refuse a terminal where the caller has none.
  @ParameterizedTest
  @ValueSource(strings = {"", "line\n", "line\nanother"})
  @JrunOnly
  void inputThatIsNoTerminalEnds(String input) throws IOException {
    config.sh("cat; echo and more");
    Outcome outcome = onBundle("run").input(input).run().succeeds();
    assertThat(outcome.out().replace("\r", "")).endsWith(input + "and more\n");
    id = newId();
    config.set("/process/terminal", "false");
    startSleeper();
    outcome = command("exec", "--tty", id, "cat").input(input).run().succeeds();
    assertThat(outcome.out().replace("\r", "")).endsWith(input);
    killAndDelete();
  }

  @Test
  void deathBySignalIs128PlusItsNumber() throws IOException {
    config.sh("echo ready; sleep 1000");
    String kill =
        "['run','%s','--root','%s','kill','%s','KILL']".formatted(RUNTIME.path(), root, id);
    talk("[['expect','ready']," + kill + "]", onBundle("run")).exits(128 + 9);
  }

  @Test
  void muchOutputArrivesWhole() throws IOException {
    config.sh("seq 1 5000; echo the end");
    Outcome outcome = talk("[]", onBundle("run")).succeeds();
    assertThat(outcome.out().lines().map(String::strip).filter(line -> !line.isEmpty()).toList())
        .hasSize(5001)
        .contains("5000", "the end");
  }

  @Test
  void execOnATerminal() throws IOException {
    config.set("/process/terminal", "false");
    startSleeper();
    talk(
            "[['expect','# '],['send','tty\\n'],['expect','/dev/pts/'],['send','exit 3\\n']]",
            command("exec", "-t", id, "sh"))
        .exits(3);
    talk("[]", command("exec", "--tty", id, "sh", "-c", "exit 9")).exits(9);
  }

  @Test
  void consoleSocketReceivesThePty() throws IOException {
    config.args("sh");
    Path socket = temp.resolve("console.sock");
    String start = "['run','%s','--root','%s','start','%s']".formatted(RUNTIME.path(), root, id);
    console(
            "[%s,['expect','# '],['resize',20,60],['send','stty size\\n'],['expect','20 60'],['send','exit\\n']]"
                .formatted(start),
            onBundle("create", "--console-socket", socket.toString()),
            socket)
        .succeeds();
    awaitStatus("stopped");
    runtime("delete", id).succeeds();
  }

  @Test
  void execDetachedWithConsoleSocket() throws IOException {
    config.set("/process/terminal", "false");
    startSleeper();
    Path socket = temp.resolve("console.sock");
    console(
            "[['send','echo x$((2+3))y\\n'],['expect','x5y'],['send','exit\\n']]",
            command("exec", "-d", "-t", "--console-socket", socket.toString(), id, "sh"),
            socket)
        .succeeds();
    killAndDelete();
  }

  @Test
  void createWithTerminalNeedsAConsoleSocket() throws IOException {
    assertThat(onBundle("create").run().failsInOneLine().err()).contains("console");
  }

  @Test
  void aConsoleSocketNeedsATerminal() throws IOException {
    config.set("/process/terminal", "false");
    assertThat(onBundle("create", "--console-socket", temp + "/none").run().failsInOneLine().err())
        .contains("console");
  }

  @Test
  void aMissingConsoleSocketIsRefused() throws IOException {
    onBundle("create", "--console-socket", temp + "/none").run().fails();
  }
}

package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// `--preserve-fds` and `LISTEN_FDS`; a shell opens the descriptors for the runtime.
class PreserveFdsIT extends EndToEnd {

  @SuppressWarnings("NullAway.Init")
  private Path file;

  @BeforeEach
  void makeFile() throws IOException {
    file = Files.writeString(temp.resolve("three"), "third\n");
  }

  /// The command, run by a shell which opens the file at descriptors 3 and 4.
  private Command withDescriptors(Command command) {
    List<String> words =
        new ArrayList<>(
            List.of(
                "sh",
                "-c",
                "exec 3<\"$0\" 4<\"$0\"; export LISTEN_PID=$$; exec \"$@\"",
                file.toString()));
    words.addAll(command.words());
    return Command.of(words);
  }

  @Test
  void runPassesThem() throws IOException {
    config.sh("cat <&3; readlink /proc/self/fd/4 > /dev/null && echo has 4");
    assertThat(withDescriptors(onBundle("run", "--preserve-fds", "2")).run().succeeds().lines())
        .containsExactly("third", "has 4");
  }

  @Test
  void runPassesOnlySoMany() throws IOException {
    config.args("sh", "-c", "test -e /proc/self/fd/3; echo $?; test -e /proc/self/fd/4; echo $?");
    assertThat(withDescriptors(onBundle("run", "--preserve-fds", "1")).run().succeeds().lines())
        .containsExactly("0", "1");
  }

  @Test
  void otherDescriptorsAreNotInherited() throws IOException {
    config.args("ls", "/proc/self/fd");
    assertThat(withDescriptors(onBundle("run")).run().succeeds().lines())
        .containsExactly("0", "1", "2", "3");
  }

  @Test
  void aMissingDescriptorIsRefused() throws IOException {
    onBundle("run", "--preserve-fds", "5").run().fails();
  }

  @Test
  void execPassesThem() throws IOException {
    startSleeper();
    assertThat(
            withDescriptors(command("exec", "--preserve-fds", "1", id, "sh", "-c", "cat <&3"))
                .run()
                .succeeds()
                .text())
        .isEqualTo("third");
    assertThat(withDescriptors(command("exec", id, "ls", "/proc/self/fd")).run().succeeds().lines())
        .containsExactly("0", "1", "2", "3");
  }

  @Test
  void listenFdsArePassedWithPid1() throws IOException {
    config.sh("echo $LISTEN_FDS $LISTEN_PID; cat <&3");
    assertThat(withDescriptors(onBundle("run")).with("LISTEN_FDS", "1").run().succeeds().lines())
        .containsExactly("1 1", "third");
  }

  @Test
  void listenFdsOfAnotherProcessAreNotPassed() throws IOException {
    config.sh("echo \"<$LISTEN_FDS>\"; ls /proc/self/fd");
    Command.Running other = Command.of("sleep", "1000").start();
    String pid = Long.toString(other.process().pid());
    for (String mode : new String[] {"on", "off"}) {
      List<String> words =
          new ArrayList<>(List.of("sh", "-c", "exec 3<\"$0\"; exec \"$@\"", file.toString()));
      words.addAll(onBundle("run").words());
      Command command = Command.of(words).with("LISTEN_FDS", "1").with("LISTEN_PID", pid);
      if (mode.equals("off")) command = command.with("JRUN_ENGINE", "off");
      assertThat(command.run().succeeds().lines()).containsExactly("<>", "0", "1", "2", "3");
    }
    other.process().destroy();
    other.finish();
  }

  @Test
  @JrunOnly // runc passes none then
  void whoNamesNoProcessMeansTheRuntime() throws IOException {
    config.sh("echo $LISTEN_FDS $LISTEN_PID; cat <&3");
    List<String> words =
        new ArrayList<>(
            List.of("sh", "-c", "exec 3<\"$0\"; unset LISTEN_PID; exec \"$@\"", file.toString()));
    words.addAll(onBundle("run").words());
    assertThat(Command.of(words).with("LISTEN_FDS", "1").run().succeeds().lines())
        .containsExactly("1 1", "third");
  }

  @Test
  void createKeepsThemUntilStart() throws IOException {
    Path out = Files.createDirectory(temp.resolve("told")).resolve("out");
    config
        .mount(
            "{destination:'/mnt',type:'bind',source:'%s',options:['bind','rw']}"
                .formatted(out.getParent()))
        .sh("{ echo $LISTEN_FDS; cat <&3; cat <&4; } > /mnt/out");
    withDescriptors(onBundle("create", "--preserve-fds", "1"))
        .with("LISTEN_FDS", "1")
        .run()
        .succeeds();
    runtime("start", id).succeeds();
    awaitStatus("stopped");
    assertThat(Files.readString(out)).startsWith("1\nthird\n");
    runtime("delete", id).succeeds();
  }

  /// A pipe whose writing end the runtime had as descriptor 9 or 251 ends with the command.
  @ParameterizedTest
  @ValueSource(ints = {9, 251})
  void aCreatedContainerHoldsNoneOfTheCallers(int number) throws IOException {
    RUNTIME.assumeRecent("descriptors closed at create");
    List<String> words =
        new ArrayList<>(
            List.of(
                "bash",
                "-c",
                "{ exec %d>&1 >/dev/null 2>&1; \"$@\"; } | timeout 5 cat; exit ${PIPESTATUS[1]}"
                    .formatted(number),
                "create"));
    words.addAll(onBundle("create").words());
    Command.of(words).run().succeeds();
    assertThat(status()).isEqualTo("created");
    runtime("delete", "--force", id).succeeds();
  }
}

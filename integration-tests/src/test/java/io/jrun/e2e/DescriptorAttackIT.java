package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A container that looks for descriptors and directories of the host.
class DescriptorAttackIT extends EndToEnd {

  @Test
  void cve2024_21626_noWorkingDirectoryIsOutsideOfTheRoot() throws IOException {
    for (int fd = 0; fd < 24; fd++) {
      for (String directory : List.of("/proc/self/fd/" + fd, "/proc/self/fd/" + fd + "/../..")) {
        config.setText("/process/cwd", directory).sh("cd .; ls /proc/self/cwd/../../../..; pwd");
        Outcome outcome = run();
        if (outcome.status() == 0) assertThat(outcome.out()).doesNotContain("lost+found", "boot");
        else assertThat(outcome.err().lines().toList()).as("%s", outcome).hasSize(1);
        id = newId();
      }
    }
  }

  @Test
  void cve2024_21626_noWorkingDirectoryOfExecIsOutsideOfTheRoot() throws IOException {
    startSleeper();
    for (int fd = 0; fd < 24; fd++) {
      Outcome outcome =
          runtime("exec", "--cwd", "/proc/self/fd/" + fd, id, "sh", "-c", "ls ../../..; pwd");
      if (outcome.status() == 0) assertThat(outcome.out()).doesNotContain("lost+found", "boot");
    }
    // a directory that leads to a descriptor through a link of the container's own
    for (int fd = 3; fd < 24; fd++)
      Files.createSymbolicLink(
          bundle.rootfs().resolve("tmp/fd" + fd), Path.of("/proc/self/fd/" + fd));
    for (int fd = 3; fd < 24; fd++) {
      Outcome outcome =
          runtime("exec", "--cwd", "/tmp/fd" + fd, id, "sh", "-c", "ls ../../..; pwd");
      if (outcome.status() == 0) assertThat(outcome.out()).doesNotContain("lost+found", "boot");
    }
    killAndDelete();
  }

  /// A caller that gives a directory of the host away, and a container that asks to be in it.
  @Test
  void cve2024_21626_aDescriptorThatIsPassedIsNoWorkingDirectory() throws IOException {
    startSleeper();
    List<String> words = new ArrayList<>(List.of("sh", "-c", "exec \"$@\" 3< /", "sh"));
    words.addAll(
        command("exec", "--preserve-fds", "1", "--cwd", "/proc/self/fd/3", id, "ls").words());
    assertThat(Command.of(words).run().fails().out()).isEmpty();
    killAndDelete();
  }

  /// Nor is anything of a caller passed on that it did not ask to pass. A filter that is loaded
  /// with the rights of the caller is there before the program, and may refuse to close anything.
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void cve2024_21626_descriptorsOfTheCallerAreNotPassedOn(boolean isFiltered) throws IOException {
    if (isFiltered)
      config
          .set("/process/noNewPrivileges", "false")
          .set(
              "/linux/seccomp",
              "{defaultAction:'SCMP_ACT_ALLOW',syscalls:"
                  + "[{names:['close_range','fcntl'],action:'SCMP_ACT_ERRNO'}]}");
    config.sh("ls -l /proc/self/fd");
    assertThat(holdingTheRoot(onBundle("run")).run().succeeds().lines())
        .hasSizeGreaterThan(2)
        .noneMatch(line -> line.contains(" 7 -> ") || line.contains(" 9 -> "));
    id = newId();
    startSleeper();
    assertThat(
            holdingTheRoot(command("exec", id, "ls", "-l", "/proc/self/fd"))
                .run()
                .succeeds()
                .lines())
        .hasSizeGreaterThan(2)
        .noneMatch(line -> line.contains(" 7 -> ") || line.contains(" 9 -> "));
    killAndDelete();
  }

  private static Command holdingTheRoot(Command command) {
    List<String> words = new ArrayList<>(List.of("sh", "-c", "exec \"$@\" 7< / 9< /", "sh"));
    words.addAll(command.words());
    return Command.of(words);
  }

  @Test
  void cve2024_21626_aProcessHasItsThreeDescriptorsOnly() throws IOException {
    String list = "for f in /proc/1/fd/* /proc/self/fd/*; do echo $f; done";
    config.sh(list);
    assertThat(descriptors(run().succeeds())).containsExactlyInAnyOrder("0", "1", "2");
    id = newId();
    create();
    runtime("start", id).succeeds();
    awaitStatus("stopped");
    runtime("delete", id).succeeds();
    id = newId();
    startSleeper();
    assertThat(descriptors(execSh(list))).containsExactlyInAnyOrder("0", "1", "2");
    killAndDelete();
  }

  /// The numbers; a shell that expands the pattern has the directory itself open at that moment.
  private static List<String> descriptors(Outcome outcome) {
    return outcome.lines().stream()
        .map(line -> line.substring(line.lastIndexOf('/') + 1))
        .filter(number -> !number.equals("3") && !number.equals("10"))
        .distinct()
        .toList();
  }

  @Test
  void cve2024_21626_nothingOfTheHostIsSeenOfWhoJoins() throws IOException {
    config
        .writableRoot()
        .sh(
            """
            echo started > /tmp/started
            while [ ! -e /tmp/stop ]; do
              for p in /proc/[0-9]*; do
                for f in $p/fd/* $p/cwd $p/root; do
                  t=$(readlink $f) && echo "${f##*/} $t" >> /tmp/seen
                  case "${f##*/}" in cwd|root) ls $f/../../../.. >> /tmp/listed;; esac
                done
              done
            done 2>/dev/null
            """);
    createAndStart();
    assertThat(eventually(() -> Files.exists(bundle.rootfs().resolve("tmp/started")))).isTrue();
    for (int i = 0; i < 60; i++) runtime("exec", id, "true").succeeds();
    Files.writeString(bundle.rootfs().resolve("tmp/stop"), "");
    awaitStatus("stopped");
    runtime("delete", id).succeeds();
    List<String> suspicious = new ArrayList<>();
    for (String line : Files.readAllLines(bundle.rootfs().resolve("tmp/seen"))) {
      String target = line.substring(line.indexOf(' ') + 1);
      if (target.startsWith("/sys/fs/cgroup") || target.contains("jrun") || target.contains(tag))
        suspicious.add(line);
    }
    // the output of a command goes where its caller wants it
    suspicious.removeIf(line -> line.matches("[012] .*"));
    assertThat(suspicious.stream().distinct().toList()).as("descriptors of the host").isEmpty();
    assertThat(Files.readAllLines(bundle.rootfs().resolve("tmp/listed")))
        .as("the host's root")
        .isNotEmpty()
        .doesNotContain("boot", "lost+found");
  }
}

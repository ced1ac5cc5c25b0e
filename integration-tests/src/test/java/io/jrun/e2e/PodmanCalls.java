package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// What podman, and conmon between it and the runtime, ask of a runtime, whoever calls podman. It
/// has a storage of its own, and an image that is loaded from an archive.
abstract class PodmanCalls extends EndToEnd {
  private static final Pattern MEMORY_LIMIT = Pattern.compile("MEM USAGE / LIMIT");

  /// The command line up to podman's own options, of whoever calls it.
  abstract List<String> caller() throws IOException;

  /// Podman's options on where everything is.
  abstract List<String> places();

  @BeforeEach
  void loadTheImage() throws IOException {
    assumeTrue(isInstalled("podman") && isInstalled("conmon"), "podman is not installed");
    prepareCaller();
    Path archive = BusyboxImage.write(bundle.rootfs(), temp.resolve("image.tar"));
    podman("load", "-q", "-i", archive.toString()).run().succeeds();
  }

  /// Makes the user and directories that the caller needs.
  void prepareCaller() throws IOException {}

  @AfterEach
  void removeAll() throws IOException {
    if (isInstalled("podman")) podman("rm", "--all", "--force", "--time", "0").run();
  }

  static boolean isInstalled(String program) {
    return Command.of("sh", "-c", "command -v " + program).run().status() == 0;
  }

  final Command podman(String... arguments) throws IOException {
    List<String> words = new ArrayList<>(caller());
    words.add("podman");
    words.addAll(places());
    words.addAll(
        List.of(
            "--runtime",
            RUNTIME.path().toString(),
            "--cgroup-manager",
            "cgroupfs",
            "--storage-driver",
            "vfs",
            "--events-backend",
            "file"));
    words.addAll(List.of(arguments));
    return Command.of(words).in(Path.of("/"));
  }

  /// `podman run` with what lets a machine without CAP_SYS_RESOURCE run it.
  final Command podmanRun(String... rest) throws IOException {
    List<String> words =
        new ArrayList<>(
            List.of(
                "run",
                "--network",
                "none",
                "--ulimit",
                "nofile=512:512",
                "--ulimit",
                "nproc=512:512"));
    words.addAll(List.of(rest));
    return podman(words.toArray(String[]::new));
  }

  /// A container that runs until it is told to end, named after the test.
  final void startLong(String... flags) throws IOException {
    List<String> words = new ArrayList<>(List.of("--detach", "--name", tag));
    words.addAll(List.of(flags));
    words.addAll(
        List.of(
            BusyboxImage.NAME,
            "sh",
            "-c",
            "echo to-out; echo to-err >&2; trap 'exit 7' TERM; while :; do sleep 0.1; done"));
    podmanRun(words.toArray(String[]::new)).run().succeeds();
  }

  final String inspect(String format) throws IOException {
    return podman("inspect", "--format", format, tag).run().succeeds().text();
  }

  @Test
  void runGivesOutputAndStatus() throws IOException {
    Outcome outcome =
        podmanRun("--rm", BusyboxImage.NAME, "sh", "-c", "echo $FROM_IMAGE; echo e >&2; exit 42")
            .run()
            .exits(42);
    assertThat(outcome.text()).isEqualTo("yes");
    assertThat(outcome.err()).contains("e");
  }

  @Test
  void aProgramThatCannotRunHasDockersStatus() throws IOException {
    assertThat(podmanRun("--rm", BusyboxImage.NAME, "nosuch").run().exits(127).err())
        .contains("executable file not found");
    podmanRun("--rm", BusyboxImage.NAME, "/etc").run().exits(126);
  }

  @Test
  void runWithATerminal() throws IOException {
    assertThat(podmanRun("--rm", "--tty", BusyboxImage.NAME, "tty").run().succeeds().text())
        .startsWith("/dev/pts/");
  }

  @Test
  void identityMountsAndCapabilities() throws IOException {
    Path shared = Files.createDirectory(temp.resolve("shared"));
    Files.writeString(shared.resolve("f"), "from-host");
    Outcome outcome =
        podmanRun(
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

  @Test
  void execHasStatusOutputAndTerminal() throws IOException {
    startLong();
    assertThat(podman("exec", tag, "sh", "-c", "echo inside; exit 9").run().exits(9).text())
        .isEqualTo("inside");
    assertThat(podman("exec", "--tty", tag, "tty").run().succeeds().text()).startsWith("/dev/pts/");
    assertThat(
            podman(
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
    podman("exec", tag, "nosuch").run().exits(127);
    podman("exec", "--detach", tag, "sleep", "77").run().succeeds();
    assertThat(eventually(() -> top("args").contains("sleep 77"))).isTrue();
  }

  private String top(String... columns) {
    List<String> words = new ArrayList<>(List.of("top", tag));
    words.addAll(List.of(columns));
    try {
      return podman(words.toArray(String[]::new)).run().succeeds().out();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @Test
  void topLogsAndInspect() throws IOException {
    startLong();
    assertThat(top("pid", "comm").lines().map(line -> line.strip().replaceAll(" +", " ")))
        .contains("1 sh");
    assertThat(eventually(() -> logs().contains("to-out") && logs().contains("to-err"))).isTrue();
    assertThat(inspect("{{.OCIRuntime}} {{.State.Status}}")).isEqualTo(RUNTIME.path() + " running");
    assertThat(Files.exists(Path.of("/proc", inspect("{{.State.Pid}}")))).isTrue();
  }

  private String logs() {
    try {
      Outcome logs = podman("logs", tag).run().succeeds();
      return logs.out() + logs.err();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @Test
  void killWaitStatusAndRm() throws IOException {
    startLong();
    assertThat(podman("rm", tag).run().fails().err()).contains("running");
    podman("kill", "--signal", "TERM", tag).run().succeeds();
    assertThat(podman("wait", tag).run().succeeds().text()).isEqualTo("7");
    assertThat(inspect("{{.State.Status}} {{.State.ExitCode}}")).isEqualTo("exited 7");
    podman("start", tag).run().succeeds();
    podman("kill", tag).run().succeeds();
    assertThat(podman("wait", tag).run().succeeds().text()).isEqualTo("137");
    podman("rm", tag).run().succeeds();
    assertThat(podman("ps", "--all", "--quiet").run().succeeds().text()).isEmpty();
  }

  @Test
  void anInitOfPodmans() throws IOException {
    assumeTrue(
        Files.exists(Path.of("/usr/libexec/podman/catatonit"))
            || Files.exists(Path.of("/usr/bin/catatonit")),
        "catatonit is not installed");
    assertThat(
            podmanRun("--rm", "--init", BusyboxImage.NAME, "sh", "-c", "cat /proc/1/comm")
                .run()
                .succeeds()
                .text())
        .isIn("catatonit", "podman-init");
  }

  @Test
  void containersOfAPodShareNamespaces() throws IOException {
    startLong();
    String namespaces = "for n in net ipc pid; do readlink /proc/self/ns/$n; done";
    String own = podman("exec", tag, "sh", "-c", namespaces).run().succeeds().text();
    assertThat(
            podman(
                    "run",
                    "--rm",
                    "--network",
                    "container:" + tag,
                    "--ipc",
                    "container:" + tag,
                    "--pid",
                    "container:" + tag,
                    "--ulimit",
                    "nofile=512:512",
                    "--ulimit",
                    "nproc=512:512",
                    BusyboxImage.NAME,
                    "sh",
                    "-c",
                    namespaces)
                .run()
                .succeeds()
                .text())
        .isEqualTo(own);
  }

  /// The limit that `podman stats` shows.
  final String stats() throws IOException {
    String table = podman("stats", "--no-stream", tag).run().succeeds().out();
    Matcher header = MEMORY_LIMIT.matcher(table);
    assertThat(header.find()).as(table).isTrue();
    return table;
  }
}

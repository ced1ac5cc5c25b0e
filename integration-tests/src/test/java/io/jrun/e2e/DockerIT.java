package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Docker Engine with this runtime, through containerd and its shim. One engine serves all tests.
class DockerIT extends EndToEnd {
  private static @Nullable DockerEngine engine;

  @BeforeEach
  void startTheEngine() throws IOException {
    if (engine != null) return;
    DockerEngine started = new DockerEngine(RUNTIME.path());
    engine = started;
    Path archive = BusyboxImage.write(bundle.rootfs(), temp.resolve("image.tar"));
    started.docker("load", "-q", "-i", archive.toString()).run().succeeds();
  }

  @AfterAll
  static void stopTheEngine() throws IOException {
    DockerEngine started = engine;
    engine = null;
    if (started != null) started.close();
  }

  @AfterEach
  void removeTheContainer() {
    if (engine != null) docker("rm", "--force", tag).run();
  }

  private static Command docker(String... arguments) {
    return java.util.Objects.requireNonNull(engine).docker(arguments);
  }

  private static Command dockerRun(String... rest) {
    List<String> words = new ArrayList<>(List.of("run", "--network", "none"));
    words.addAll(List.of(rest));
    return docker(words.toArray(String[]::new));
  }

  private void startLong(String... flags) {
    List<String> words = new ArrayList<>(List.of("--detach", "--name", tag));
    words.addAll(List.of(flags));
    words.addAll(
        List.of(
            BusyboxImage.NAME,
            "sh",
            "-c",
            "echo to-out; echo to-err >&2; trap 'exit 7' TERM; while :; do sleep 0.1; done"));
    dockerRun(words.toArray(String[]::new)).run().succeeds();
  }

  private String inspect(String format) {
    return docker("inspect", "--format", format, tag).run().succeeds().text();
  }

  @Test
  void runGivesOutputAndStatus() {
    Outcome outcome =
        dockerRun("--rm", BusyboxImage.NAME, "sh", "-c", "echo $FROM_IMAGE; echo e >&2; exit 42")
            .run()
            .exits(42);
    assertThat(outcome.text()).isEqualTo("yes");
    assertThat(outcome.err()).contains("e");
    dockerRun("--rm", BusyboxImage.NAME, "nosuch").run().exits(127);
    dockerRun("--rm", BusyboxImage.NAME, "/etc").run().exits(126);
  }

  @Test
  void limitsReachTheCgroup() throws IOException {
    startLong("--memory", "64m", "--memory-swap", "64m", "--pids-limit", "30", "--cpus", "0.5");
    Path pids = cgroupOf("pids", "pids.max");
    assertThat(Files.readString(pids).strip()).isEqualTo("30");
    Path memory = cgroupOf("memory", "memory.limit_in_bytes");
    if (Files.exists(memory)) assertThat(Files.readString(memory).strip()).isEqualTo("67108864");
    docker("update", "--memory", "99m", "--memory-swap", "99m", tag).run().succeeds();
    if (Files.exists(memory)) assertThat(Files.readString(memory).strip()).isEqualTo("103809024");
    assertThat(inspect("{{.HostConfig.Runtime}}")).isEqualTo("under-test");
  }

  /// A file in the container's cgroup of that controller, on v1 or v2.
  private Path cgroupOf(String controller, String file) throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc", inspect("{{.State.Pid}}"), "cgroup"))) {
      String[] fields = line.split(":", 3);
      if (List.of(fields[1].split(",")).contains(controller))
        return Path.of("/sys/fs/cgroup/" + fields[1] + fields[2], file);
      if (fields[1].isEmpty() && Files.exists(Path.of("/sys/fs/cgroup/cgroup.controllers")))
        return Path.of("/sys/fs/cgroup" + fields[2], file);
    }
    throw new AssertionError("no cgroup of " + controller);
  }

  @Test
  void identityMountsAndCapabilities() throws IOException {
    Path shared = Files.createDirectory(temp.resolve("shared"));
    Files.writeString(shared.resolve("f"), "from-host");
    Outcome outcome =
        dockerRun(
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
                "--sysctl",
                "net.ipv4.ip_forward=1",
                "--device",
                "/dev/null:/dev/own",
                BusyboxImage.NAME,
                "sh",
                "-c",
                "id -u; cat /mnt/f; echo; hostname; cat /proc/sys/net/ipv4/ip_forward; test -c /dev/own && echo device;"
                    + " grep -E 'CapEff|NoNewPrivs|^Seccomp:' /proc/self/status;"
                    + " touch /tmp/x && echo writable; touch /x || echo readonly")
            .run()
            .succeeds();
    assertThat(outcome.out().replaceAll("\\s+", " ").strip())
        .isEqualTo(
            "1000 from-host e2e-host 1 device CapEff: 0000000000000000 NoNewPrivs: 1 Seccomp: 2 writable readonly");
  }

  @Test
  void anInitOfDockers() {
    assumeTrue(PodmanCalls.isInstalled("docker-init"), "docker-init is not installed");
    assertThat(
            dockerRun("--rm", "--init", BusyboxImage.NAME, "cat", "/proc/1/comm")
                .run()
                .succeeds()
                .text())
        .isEqualTo("docker-init");
  }

  @Test
  void execHasStatusOutputAndTerminal() {
    startLong();
    assertThat(docker("exec", tag, "sh", "-c", "echo inside; exit 9").run().exits(9).text())
        .isEqualTo("inside");
    assertThat(docker("exec", "--tty", tag, "tty").run().succeeds().text()).startsWith("/dev/pts/");
    assertThat(
            docker(
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
    docker("exec", tag, "nosuch").run().exits(126); // of this moby, with any runtime
    docker("exec", "--detach", tag, "sleep", "77").run().succeeds();
    assertThat(eventually(() -> docker("top", tag).run().succeeds().out().contains("sleep 77")))
        .isTrue();
  }

  @Test
  void pauseStatsAndLogs() {
    startLong();
    assertThat(docker("stats", "--no-stream", tag).run().succeeds().out()).contains(tag);
    docker("pause", tag).run().succeeds();
    assertThat(inspect("{{.State.Status}}")).isEqualTo("paused");
    docker("unpause", tag).run().succeeds();
    assertThat(inspect("{{.State.Status}}")).isEqualTo("running");
    assertThat(
            eventually(() -> {
              Outcome logs = docker("logs", tag).run().succeeds();
              return logs.out().contains("to-out") && logs.err().contains("to-err");
            }))
        .isTrue();
  }

  @Test
  void killStopRestartAndRm() {
    startLong();
    docker("kill", "--signal", "TERM", tag).run().succeeds();
    assertThat(docker("wait", tag).run().succeeds().text()).isEqualTo("7");
    docker("start", tag).run().succeeds();
    docker("restart", "--time", "5", tag).run().succeeds();
    docker("stop", "--time", "5", tag).run().succeeds();
    assertThat(inspect("{{.State.Status}} {{.State.ExitCode}}")).isEqualTo("exited 7");
    docker("start", tag).run().succeeds();
    docker("kill", tag).run().succeeds();
    assertThat(docker("wait", tag).run().succeeds().text()).isEqualTo("137");
    docker("rm", tag).run().succeeds();
    assertThat(docker("ps", "--all", "--quiet").run().succeeds().text()).isEmpty();
  }

  @Test
  void aProgramThatEatsItsMemoryIsKilled() {
    dockerRun(
            "--rm",
            "--memory",
            "16m",
            "--memory-swap",
            "16m",
            BusyboxImage.NAME,
            "sh",
            "-c",
            "x=a; while :; do x=$x$x; done")
        .run()
        .exits(137);
  }

  @Test
  void namespacesOfAnotherContainerAndOfTheHost() {
    startLong("--ipc", "shareable");
    String namespaces = "for n in net ipc pid; do readlink /proc/self/ns/$n; done";
    String own = docker("exec", tag, "sh", "-c", namespaces).run().succeeds().text();
    assertThat(
            docker(
                    "run",
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
                    namespaces)
                .run()
                .succeeds()
                .text())
        .isEqualTo(own);
    assertThat(
            dockerRun(
                    "--rm",
                    "--pid",
                    "host",
                    "--uts",
                    "host",
                    BusyboxImage.NAME,
                    "sh",
                    "-c",
                    "ps | grep -c [d]ockerd; hostname")
                .run()
                .succeeds()
                .lines()
                .get(1))
        .isEqualTo(Command.of("hostname").run().text());
  }
}

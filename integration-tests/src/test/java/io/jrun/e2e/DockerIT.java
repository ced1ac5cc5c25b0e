package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Docker Engine with this runtime, through containerd and its shim. One engine serves all tests.
class DockerIT extends ContainerEngineCalls {
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

  @Override
  Command engine(String... arguments) {
    return docker(arguments);
  }

  @Override
  List<String> requiredFlags() {
    return List.of();
  }

  /// Of this moby, with any runtime.
  @Override
  int statusOfMissingProgram() {
    return 126;
  }

  @Test
  void privileged() throws IOException {
    privilegedHasAllThatCanBeHad();
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

  @JrunOnly
  @Test
  void whatDockerSavesAndExportsIsAnImageAndARootHere() throws IOException {
    String image = "localhost/" + tag + ":1";
    docker(
            "run",
            "--name",
            tag,
            BusyboxImage.NAME,
            "sh",
            "-c",
            "mkdir -m 1777 /made; echo saved > /made/file; ln /made/file /made/hard; rm /etc/passwd")
        .run()
        .succeeds();
    docker("commit", "--change", "ENV ADDED=yes", "--change", "WORKDIR /made", tag, image)
        .run()
        .succeeds();
    Path saved = temp.resolve("saved.tar");
    Path exported = temp.resolve("exported.tar");
    docker("save", "-o", saved.toString(), image).run().succeeds();
    docker("export", "-o", exported.toString(), tag).run().succeeds();
    docker("rmi", image).run().succeeds();

    String store = temp.resolve("store").toString();
    runtime("image", "load", "--store", store, saved.toString()).succeeds();
    runtime("image", "verify", "--store", store).succeeds();
    String look =
        "stat -c '%a %h' /made /made/file; cat file; echo $ADDED $FROM_IMAGE; ls -d /etc/passwd";
    Outcome ran =
        runtime(
            "run",
            "--image",
            image,
            "--store",
            store,
            "-e",
            "E2E_TAG=" + tag,
            id,
            "sh",
            "-c",
            look);
    assertThat(ran.exits(1).lines()).startsWith("1777 2", "644 2", "saved", "yes yes");
    Path root = temp.resolve("exported");
    runtime("rootfs", "unpack", exported.toString(), root.toString()).succeeds();
    assertThat(root.resolve("made/hard")).hasContent("saved\n");
  }

  /// A file in the container's cgroup of that controller, on v1 or v2.
  private Path cgroupOf(String controller, String file) throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc", inspect("{{.State.Pid}}"), "cgroup"))) {
      String[] fields = line.split(":", 3);
      if (List.of(fields[1].split(",")).contains(controller))
        return Path.of("/sys/fs/cgroup/" + fields[1] + fields[2], file);
      if (fields[1].isEmpty() && CgroupHierarchies.isV2Alone())
        return Path.of("/sys/fs/cgroup" + fields[2], file);
    }
    throw new AssertionError("no cgroup of " + controller);
  }

  @Test
  void sysctlsAndDevices() {
    assertThat(
            isolatedRun(
                    "--rm",
                    "--sysctl",
                    "net.ipv4.ip_forward=1",
                    "--device",
                    "/dev/null:/dev/own",
                    BusyboxImage.NAME,
                    "sh",
                    "-c",
                    "cat /proc/sys/net/ipv4/ip_forward; test -c /dev/own && echo device")
                .run()
                .succeeds()
                .lines())
        .containsExactly("1", "device");
  }

  @Test
  void anInitOfDockers() {
    Machine.assumeInstalled("docker-init");
    assertThat(
            isolatedRun("--rm", "--init", BusyboxImage.NAME, "cat", "/proc/1/comm")
                .run()
                .succeeds()
                .text())
        .isEqualTo("docker-init");
  }

  @Test
  void pauseAndStats() {
    startLong();
    assertThat(docker("stats", "--no-stream", tag).run().succeeds().out()).contains(tag);
    docker("pause", tag).run().succeeds();
    assertThat(inspect("{{.State.Status}}")).isEqualTo("paused");
    docker("unpause", tag).run().succeeds();
    assertThat(inspect("{{.State.Status}}")).isEqualTo("running");
  }

  @Test
  void restartAndStop() {
    startLong();
    docker("restart", "--time", "5", tag).run().succeeds();
    docker("stop", "--time", "5", tag).run().succeeds();
    assertThat(inspect("{{.State.Status}} {{.State.ExitCode}}")).isEqualTo("exited 7");
  }

  @Test
  void aProgramThatEatsItsMemoryIsKilled() {
    isolatedRun(
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
  void namespacesOfTheHost() {
    assertThat(
            isolatedRun(
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

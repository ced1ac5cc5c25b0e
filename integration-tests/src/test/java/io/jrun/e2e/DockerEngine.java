package io.jrun.e2e;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/// A dockerd with a containerd, network namespace, directories and cgroup parent of its own, to
/// which the runtime under test is known as `under-test`.
final class DockerEngine implements AutoCloseable {
  private static final int START_SECONDS = 2 * Command.TIMEOUT_SECONDS;

  private final String name = "e2e-docker-" + UUID.randomUUID().toString().substring(0, 6);
  private final Path directory = Path.of("/tmp", name);
  private final Path log = directory.resolve("log");
  private final Process daemon;

  DockerEngine(Path runtime) throws IOException {
    Machine.assumeInstalled("dockerd", "docker", "containerd", "nsenter", "ip");
    Files.createDirectories(directory);
    Path configuration = directory.resolve("daemon.json");
    Files.writeString(
        configuration,
        """
        {"runtimes": {"under-test": {"path": "%1$s"}}, "default-runtime": "under-test",
         "iptables": false, "ip6tables": false, "bridge": "none", "storage-driver": "vfs",
         "data-root": "%2$s/data", "exec-root": "%2$s/exec", "pidfile": "%2$s/pid",
         "hosts": ["unix://%2$s/sock"], "cgroup-parent": "/%3$s",
         "exec-opts": ["native.cgroupdriver=cgroupfs"]}
        """
            .formatted(runtime, directory, name));
    Command.of("ip", "netns", "add", name).run().succeeds();
    daemon =
        new ProcessBuilder(
                "nsenter",
                "--net=/run/netns/" + name,
                "dockerd",
                "--config-file",
                configuration.toString())
            .redirectInput(Path.of("/dev/null").toFile())
            .redirectOutput(log.toFile())
            .redirectErrorStream(true)
            .start();
    awaitStart();
  }

  private void awaitStart() throws IOException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_SECONDS);
    while (docker("version").run().status() != 0) {
      if (!daemon.isAlive() || System.nanoTime() > end) {
        String said = Files.readString(log, StandardCharsets.UTF_8);
        close();
        String last = said.lines().reduce("", (a, b) -> b);
        assumeTrue(false, "dockerd does not start on this machine: " + last);
      }
      EndToEnd.pause(100);
    }
  }

  Command docker(String... arguments) {
    List<String> words = new ArrayList<>();
    // Debian's, where another one is installed too
    words.add(Files.exists(Path.of("/usr/bin/docker")) ? "/usr/bin/docker" : "docker");
    words.addAll(List.of("--host", "unix://" + directory.resolve("sock")));
    words.addAll(List.of(arguments));
    return Command.of(words).with("DOCKER_CONFIG", directory.toString());
  }

  @Override
  public void close() throws IOException {
    daemon.destroy();
    try {
      if (!daemon.waitFor(Command.TIMEOUT_SECONDS, TimeUnit.SECONDS))
        daemon.destroyForcibly().waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    Command.of("ip", "netns", "del", name).run();
    removeCgroups();
    if (Files.readString(Path.of("/proc/self/mountinfo")).contains(directory + "/"))
      throw new AssertionError("dockerd has left mounts in " + directory);
    try (Stream<Path> walk = Files.walk(directory)) {
      for (Path path : walk.sorted(Comparator.reverseOrder()).toList()) Files.deleteIfExists(path);
    }
  }

  /// The parent cgroups, which neither docker nor a runtime removes.
  private void removeCgroups() throws IOException {
    for (Path hierarchy : CgroupHierarchies.mountPoints())
      Files.deleteIfExists(hierarchy.resolve(name));
  }
}

package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// What podman, and conmon between it and the runtime, ask of a runtime, whoever calls podman. It
/// has a storage of its own, and an image that is loaded from an archive.
abstract class PodmanCalls extends ContainerEngineCalls {
  /// The command line up to podman's own options, of whoever calls it.
  abstract List<String> caller();

  /// Podman's options on where everything is.
  abstract List<String> places();

  @BeforeEach
  void loadTheImage() throws IOException {
    Machine.assumeInstalled("podman", "conmon");
    prepareCaller();
    Path archive = BusyboxImage.write(bundle.rootfs(), temp.resolve("image.tar"));
    podman("load", "-q", "-i", archive.toString()).run().succeeds();
  }

  /// Makes the user and directories that the caller needs.
  void prepareCaller() throws IOException {}

  @AfterEach
  void removeAll() {
    if (Machine.isInstalled("podman")) podman("rm", "--all", "--force", "--time", "0").run();
  }

  @Override
  final Command engine(String... arguments) {
    return podman(arguments);
  }

  final Command podman(String... arguments) {
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

  /// Podman's default limits need CAP_SYS_RESOURCE.
  @Override
  final List<String> requiredFlags() {
    return List.of("--ulimit", "nofile=512:512", "--ulimit", "nproc=512:512");
  }

  @Override
  final int statusOfMissingProgram() {
    return 127;
  }

  @Test
  void topAndInspect() {
    startLong();
    assertThat(
            podman("top", tag, "pid", "comm").run().succeeds().lines().stream()
                .map(line -> line.strip().replaceAll(" +", " ")))
        .contains("1 sh");
    assertThat(inspect("{{.OCIRuntime}} {{.State.Status}}")).isEqualTo(RUNTIME.path() + " running");
    assertThat(Files.exists(Path.of("/proc", inspect("{{.State.Pid}}")))).isTrue();
  }

  private static void assumeCatatonit() {
    assumeTrue(
        Files.exists(Path.of("/usr/libexec/podman/catatonit"))
            || Files.exists(Path.of("/usr/bin/catatonit")),
        "catatonit is not installed");
  }

  @Test
  void healthIsAsked() {
    startLong("--health-cmd", "test -e /healthy", "--health-interval", "disable");
    podman("healthcheck", "run", tag).run().exits(1);
    podman("exec", tag, "touch", "/healthy").run().succeeds();
    podman("healthcheck", "run", tag).run().succeeds();
  }

  /// Podman's options on who makes a pod's cgroup.
  List<String> managerOfPods() {
    return List.of();
  }

  @Test
  void podsShareNamespaces() throws IOException {
    assumeCatatonit();
    Path limits = temp.resolve("containers.conf"); // of the pod's own container
    Files.writeString(
        limits, "[containers]\ndefault_ulimits=[\"nofile=512:512\",\"nproc=512:512\"]\n");
    Files.setPosixFilePermissions(limits, PosixFilePermissions.fromString("rw-r--r--"));
    String pod = tag + "-pod";
    List<List<String>> steps =
        List.of(
            List.of("pod", "create", "--name", pod, "--share", "net,ipc,pid", "--network", "none"),
            List.of("run", "--detach", "--pod", pod, BusyboxImage.NAME, "sleep", "1000"),
            List.of("run", "--rm", "--pod", pod, BusyboxImage.NAME, "ps", "-o", "args"),
            List.of("pod", "kill", pod),
            List.of("pod", "rm", "--force", "--time", "0", pod));
    List<Outcome> outcomes = new ArrayList<>();
    for (List<String> step : steps) {
      List<String> words = new ArrayList<>(managerOfPods());
      words.addAll(step);
      outcomes.add(
          podman(words.toArray(String[]::new))
              .with("CONTAINERS_CONF", limits.toString())
              .run()
              .succeeds());
    }
    assertThat(outcomes.get(2).out()).contains("catatonit").contains("sleep 1000");
  }

  @Test
  void anInitOfPodmans() {
    assumeCatatonit();
    assertThat(
            isolatedRun("--rm", "--init", BusyboxImage.NAME, "sh", "-c", "cat /proc/1/comm")
                .run()
                .succeeds()
                .text())
        .isIn("catatonit", "podman-init");
  }
}

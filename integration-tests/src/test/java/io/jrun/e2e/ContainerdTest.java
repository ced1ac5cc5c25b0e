package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;

/// What the tests with a containerd share: one daemon for the class, and after each test the proof
/// that nothing of its containers is left: no task, snapshot, shim, mount, cgroup or socket.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class ContainerdTest {

  @SuppressWarnings("NullAway.Init")
  Containerd containerd;

  private int serial;
  private final List<String> ids = new ArrayList<>();

  /// The CNI configuration of the node.
  String network() {
    return "";
  }

  /// Whether containerd gives containers labels of SELinux.
  boolean labels() {
    return false;
  }

  @BeforeAll
  final void startContainerd() throws IOException {
    containerd = new Containerd(network(), labels());
  }

  @AfterAll
  final void stopContainerd() throws IOException {
    if (containerd != null) containerd.close();
  }

  @AfterEach
  final void nothingIsLeft() throws IOException {
    for (String id : List.copyOf(ids)) remove(id);
    List<String> left = new ArrayList<>();
    ctr("tasks", "ls", "-q").succeeds().lines().forEach(id -> left.add("task " + id));
    ctr("containers", "ls", "-q").succeeds().lines().forEach(id -> left.add("container " + id));
    leftovers(left);
    ids.clear();
    assertThat(left).as("left after the test").isEmpty();
  }

  /// What tasks leave outside of containerd's own books.
  final void leftovers(List<String> left) throws IOException {
    EndToEnd.eventually(this::nothingRests);
    containerd.shims().forEach(shim -> left.add("process " + shim));
    mounts().forEach(mount -> left.add("mount " + mount));
    cgroups().forEach(path -> left.add("cgroup " + path));
    for (Path bundle : bundles())
      left.add("bundle " + bundle + " with " + list(bundle) + told(bundle));
  }

  /// containerd removes a bundle some time after its shim is gone.
  final boolean nothingRests() {
    try {
      return containerd.shims().isEmpty() && bundles().isEmpty();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// Those with a dot containerd was deleting when it died.
  private List<Path> bundles() throws IOException {
    List<Path> found = new ArrayList<>();
    for (String kind : List.of("runtime.v2.task", "sandbox.controller.v1.shim"))
      for (Path namespace : list(containerd.temp().resolve("state/io.containerd." + kind)))
        for (Path bundle : list(namespace))
          if (!bundle.getFileName().toString().startsWith(".")) found.add(bundle);
    return found;
  }

  /// What containerd said of it.
  private String told(Path bundle) {
    String id = bundle.getFileName().toString();
    return containerd
        .logText()
        .lines()
        .filter(line -> line.contains(id))
        .collect(Collectors.joining("\n", ", log:\n", ""));
  }

  private static List<Path> list(Path directory) throws IOException {
    if (!Files.isDirectory(directory)) return List.of();
    try (Stream<Path> all = Files.list(directory)) {
      return all.toList();
    }
  }

  private List<String> mounts() throws IOException {
    return Files.readString(Path.of("/proc/self/mountinfo"))
        .lines()
        .filter(line -> line.contains(containerd.temp() + "/"))
        .toList();
  }

  /// The cgroups below those that carry the tag.
  private List<Path> cgroups() throws IOException {
    List<Path> found = new ArrayList<>();
    for (Path hierarchy : CgroupHierarchies.mountPoints()) {
      Path top = hierarchy.resolve(containerd.tag());
      if (!Files.isDirectory(top)) continue;
      Files.walkFileTree(
          top,
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path path, BasicFileAttributes attributes) {
              if (!path.equals(top)) found.add(path);
              return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException e) {
              return FileVisitResult.CONTINUE;
            }
          });
    }
    return found;
  }

  /// Ends and removes a container that a test made, whatever its state.
  final void remove(String id) {
    if (ctr("containers", "info", id).status() != 0) return;
    ctr("tasks", "delete", "--force", id);
    ctr("containers", "delete", id);
  }

  final String newId() {
    String id = "c" + serial++;
    ids.add(id);
    return id;
  }

  final Outcome ctr(String... words) {
    return containerd.ctr(words).run();
  }

  /// `ctr run FLAGS IMAGE ID WORDS`, with the shim under test.
  final Command run(List<String> flags, String id, String... words) {
    List<String> all = new ArrayList<>(List.of("run", "--runtime", Containerd.SHIM));
    all.addAll(flags);
    all.addAll(List.of(Containerd.IMAGE, id));
    all.addAll(List.of(words));
    return containerd.ctr(all.toArray(String[]::new));
  }

  final Command runSh(String id, String script) {
    return run(List.of("--rm"), id, "sh", "-c", script);
  }

  /// Starts a container without input and output that sleeps.
  final String sleeper(String... flags) {
    String id = newId();
    List<String> all = new ArrayList<>(List.of("--detach", "--null-io"));
    all.addAll(List.of(flags));
    run(all, id, "sleep", "1000").run().succeeds();
    return id;
  }

  final Command exec(String id, String execId, String... words) {
    List<String> all = new ArrayList<>(List.of("tasks", "exec", "--exec-id", execId, id));
    all.addAll(List.of(words));
    return containerd.ctr(all.toArray(String[]::new));
  }

  /// RUNNING, PAUSED, STOPPED, or empty when there is no such task.
  final String status(String id) {
    return ctr("tasks", "ls").succeeds().lines().stream()
        .map(line -> line.split("\\s+"))
        .filter(fields -> fields[0].equals(id))
        .map(fields -> fields[2])
        .findFirst()
        .orElse("");
  }

  final long taskPid(String id) {
    return ctr("tasks", "ls").succeeds().lines().stream()
        .map(line -> line.split("\\s+"))
        .filter(fields -> fields[0].equals(id))
        .mapToLong(fields -> Long.parseLong(fields[1]))
        .findFirst()
        .orElseThrow();
  }

  final void awaitStatus(String id, String status) {
    assertThat(EndToEnd.eventually(() -> status(id).equals(status)))
        .as("%s becomes %s, is %s", id, status, status(id))
        .isTrue();
  }
}

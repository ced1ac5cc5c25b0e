package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import tools.jackson.databind.JsonNode;

/// What every test has: a temporary directory, a state directory, a bundle, a config to edit; and
/// afterwards the proof that nothing is left of it: no container, cgroup, mount or process.
abstract class EndToEnd {

  static final RuntimeBinary RUNTIME = RuntimeBinary.underTest();

  /// Part of every name that the test makes, and in the environment of every container.
  final String tag = "e2e-" + UUID.randomUUID().toString().substring(0, 8);

  final Path temp = Path.of("/tmp", tag);
  final Path root = temp.resolve("state");
  Bundle bundle = new Bundle(temp.resolve("bundle"));

  @SuppressWarnings("NullAway.Init")
  Config config;

  String id = tag;
  private int serial;

  @BeforeAll
  static void theRuntimeCanRun() throws IOException {
    if (!Files.isExecutable(RUNTIME.path())) {
      throw new AssertionError(
          "no runtime to test: %s is absent or not executable; run `make`, or give -Djrun.runtime=PATH"
              .formatted(RUNTIME.path()));
    }
    Machine.assumeRoot();
  }

  @BeforeEach
  void makeBundle() throws IOException {
    Files.createDirectories(temp);
    Files.setPosixFilePermissions(temp, PosixFilePermissions.fromString("rwxr-xr-x"));
    bundle = Bundle.create(temp.resolve("bundle"));
    runtime("spec", "--bundle", bundle.path().toString()).succeeds();
    config = Config.read(bundle.path().resolve("config.json"));
    config.set("/process/terminal", "false").env("E2E_TAG=" + tag).args("true");
    id = newId();
  }

  @AfterEach
  void nothingIsLeft() throws IOException {
    for (String left : ids()) {
      runtime("delete", "--force", left);
    }
    List<String> leftovers = new ArrayList<>();
    ids().forEach(name -> leftovers.add("container " + name));
    eventually(() -> processes().isEmpty());
    processes().forEach(pid -> leftovers.add("process " + pid));
    cgroups().forEach(path -> leftovers.add("cgroup " + path));
    Files.readString(Path.of("/proc/self/mountinfo"))
        .lines()
        .filter(line -> line.contains(temp + "/"))
        .forEach(line -> leftovers.add("mount " + line));
    for (String pid : processes()) {
      ProcessHandle.of(Long.parseLong(pid)).ifPresent(ProcessHandle::destroyForcibly);
    }
    if (leftovers.stream().noneMatch(text -> text.startsWith("mount "))) {
      deleteTree(temp);
    }
    assertThat(leftovers).as("left after the test").isEmpty();
  }

  final String newId() {
    return tag + "-" + serial++;
  }

  final Command command(String... arguments) {
    return RUNTIME.command(root, arguments);
  }

  final Outcome runtime(String... arguments) {
    return command(arguments).run();
  }

  /// `run` in the foreground of what the config says now; asserts that the container is gone
  /// afterwards.
  final Outcome run() throws IOException {
    return run(new String[0]);
  }

  final Outcome run(String... flags) throws IOException {
    Outcome outcome = onBundle("run", flags).run();
    assertThat(ids()).as("containers after run").doesNotContain(id);
    assertThat(cgroups()).as("cgroups after run").noneMatch(path -> path.endsWith(id));
    return outcome;
  }

  final Outcome runSh(String script) throws IOException {
    config.sh(script);
    return run();
  }

  /// A create or run with the bundle written from the config.
  final Command onBundle(String command, String... flags) throws IOException {
    bundle.write(config);
    List<String> words = new ArrayList<>(List.of(command, "--bundle", bundle.path().toString()));
    words.addAll(List.of(flags));
    words.add(id);
    return command(words.toArray(String[]::new));
  }

  final void create(String... flags) throws IOException {
    onBundle("create", flags).run().succeeds();
  }

  /// Creates and starts a container that only sleeps; returns its init's pid.
  final long startSleeper() throws IOException {
    config.args("sleep", "1000");
    return createAndStart();
  }

  final long createAndStart() throws IOException {
    create();
    runtime("start", id).succeeds();
    return state().get("pid").asLong();
  }

  final JsonNode state() {
    return Config.json(runtime("state", id).succeeds().out());
  }

  final String status() {
    return state().get("status").asString();
  }

  final void awaitStatus(String status) {
    assertThat(eventually(() -> status().equals(status)))
        .as("status becomes %s, is %s", status, status())
        .isTrue();
  }

  final void killAndDelete() {
    runtime("kill", id, "KILL").succeeds();
    awaitStatus("stopped");
    runtime("delete", id).succeeds();
  }

  /// Runs a shell script in the running container.
  final Outcome execSh(String script) {
    return runtime("exec", id, "sh", "-c", script);
  }

  final List<String> ids() {
    return runtime("list", "-q").out().lines().filter(line -> !line.isBlank()).toList();
  }

  /// Of the engine that serves the tests, which is started where none runs.
  long enginePid() {
    runtime("--version").succeeds();
    return Config.json(runtime("engine", "status", "--format", "json").succeeds().out())
        .get("pid")
        .asLong();
  }

  /// Whether there is a process that is not a zombie.
  static boolean runs(long pid) {
    try {
      return !Files.readString(Path.of("/proc/" + pid + "/stat")).matches("(?s).*\\) [ZX] .*");
    } catch (IOException e) {
      return false;
    }
  }

  /// Polls for at most twenty seconds, or longer as [Command] says.
  static boolean eventually(BooleanSupplier condition) {
    long end = System.nanoTime() + Command.TIMEOUT_SECONDS / 3 * 1_000_000_000L;
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > end) {
        return false;
      }
      pause(20);
    }
    return true;
  }

  static void pause(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  /// The cgroup directories of all hierarchies whose name begins with this test's tag.
  final List<Path> cgroups() throws IOException {
    List<Path> found = new ArrayList<>();
    Files.walkFileTree(
        Path.of("/sys/fs/cgroup"),
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes) {
            if (directory.getFileName().toString().startsWith(tag)) {
              found.add(directory);
            }
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFileFailed(Path file, IOException e) {
            return FileVisitResult.CONTINUE;
          }
        });
    return found;
  }

  /// The pids whose environment or command line carries this test's tag.
  final List<String> processes() {
    List<String> found = new ArrayList<>();
    try (Stream<Path> all = Files.list(Path.of("/proc"))) {
      all.filter(path -> path.getFileName().toString().matches("\\d+"))
          .filter(path -> mentions(path.resolve("environ")) || mentions(path.resolve("cmdline")))
          .forEach(path -> found.add(path.getFileName().toString()));
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
    return found;
  }

  private boolean mentions(Path file) {
    try {
      return new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1).contains(tag);
    } catch (IOException e) {
      return false; // the process ended meanwhile, or is a zombie
    }
  }

  /// What an engine takes away meanwhile is no failure.
  private static void deleteTree(Path top) throws IOException {
    Files.walkFileTree(
        top,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.deleteIfExists(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFileFailed(Path file, IOException e) throws IOException {
            if (e instanceof NoSuchFileException) return FileVisitResult.CONTINUE;
            throw e;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path directory, @Nullable IOException e)
              throws IOException {
            if (e != null && !(e instanceof NoSuchFileException)) throw e;
            Files.deleteIfExists(directory);
            return FileVisitResult.CONTINUE;
          }
        });
  }
}

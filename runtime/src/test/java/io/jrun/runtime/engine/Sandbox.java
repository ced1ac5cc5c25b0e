package io.jrun.runtime.engine;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jrun.specs.runtime.DefaultConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/// A bundle and a state directory of their own, commands on them, and what they left on the
/// machine.
final class Sandbox implements AutoCloseable {
  private static final Path BUSYBOX = Path.of("/bin/busybox");

  /// More on an emulated machine.
  static final long TIMEOUT_SECONDS = 10L * Integer.getInteger("jrun.patience", 1);

  private static int serial;

  /// What a test waits for.
  interface Condition {
    boolean holds() throws Exception;
  }

  /// Whether it comes to hold within the time that everything has.
  static boolean eventually(Condition condition) {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(TIMEOUT_SECONDS);
    try {
      while (!condition.holds()) {
        if (System.nanoTime() > end) return false;
        Thread.sleep(2);
      }
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
    return true;
  }

  /// What a command said.
  record Outcome(List<String> command, int status, String out, String err) {}

  private final String tag = "jrun-it-" + ProcessHandle.current().pid() + "-" + serial++;
  private final Path top = Path.of("/tmp", tag);
  private final Path repository;
  private final List<Path> hierarchies = new ArrayList<>();

  Sandbox() throws IOException {
    Path module = Path.of(System.getProperty("basedir", "")).toAbsolutePath();
    repository = module.endsWith("runtime") ? module.resolveSibling("") : module;
    assumeTrue("root".equals(System.getProperty("user.name")), "needs root");
    assumeTrue(Files.isExecutable(BUSYBOX), "needs " + BUSYBOX + " (busybox-static)");
    assumeTrue(
        Files.isExecutable(repository.resolve("build/install/bin/jrun")),
        "needs the staged build (make stage)");
    Path rootfs = bundle().resolve("rootfs");
    for (String name : List.of("bin", "dev", "etc", "proc", "sys", "tmp", "mnt"))
      Files.createDirectories(rootfs.resolve(name));
    Files.setPosixFilePermissions(top, PosixFilePermissions.fromString("rwxr-xr-x"));
    Files.copy(BUSYBOX, rootfs.resolve("bin/busybox"));
    rootfs.resolve("bin/busybox").toFile().setExecutable(true, false);
    for (String name : List.of("sh", "true", "sleep", "cat", "ls", "echo", "readlink", "mkdir"))
      Files.createSymbolicLink(rootfs.resolve("bin").resolve(name), Path.of("busybox"));
    Files.writeString(rootfs.resolve("etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n");
    config(text -> text);
    for (String line : Files.readAllLines(Path.of("/proc/self/mountinfo"))) {
      String[] fields = line.split(" ");
      if (line.contains(" - cgroup")) hierarchies.add(Path.of(fields[4]));
    }
    // a container's cgroup is below the caller's own
    List<Path> tops = List.copyOf(hierarchies);
    for (String line : Files.readAllLines(Path.of("/proc/self/cgroup"))) {
      String own = line.split(":", 3)[2];
      if (own.equals("/")) continue;
      for (Path hierarchy : tops)
        if (Files.exists(Path.of(hierarchy + own))) hierarchies.add(Path.of(hierarchy + own));
    }
  }

  String tag() {
    return tag;
  }

  Path top() {
    return top;
  }

  Path bundle() {
    return top.resolve("bundle");
  }

  Path state() {
    return top.resolve("state");
  }

  Path install() {
    return repository.resolve("build/install");
  }

  Path library() {
    return install().resolve("lib/jrun");
  }

  /// Writes config.json: the default one without a terminal, running a long sleep, as edited.
  void config(UnaryOperator<String> edit) throws IOException {
    String text =
        DefaultConfig.create(false, 0, 0)
            .toJson()
            .toText("")
            .replace("\"terminal\":true", "\"terminal\":false")
            .replace("\"args\":[\"sh\"]", "\"args\":[\"sleep\",\"1000\"]");
    Files.writeString(bundle().resolve("config.json"), edit.apply(text));
  }

  ProcessBuilder command(Map<String, String> environment, String... words) {
    return command(install().resolve("bin/jrun"), environment, words);
  }

  ProcessBuilder command(Path jrun, Map<String, String> environment, String... words) {
    List<String> all = new ArrayList<>(List.of(jrun.toString(), "--root", state().toString()));
    all.addAll(List.of(words));
    ProcessBuilder builder = new ProcessBuilder(all).directory(bundle().toFile());
    builder.redirectInput(Path.of("/dev/null").toFile());
    builder.redirectOutput(top.resolve("out").toFile());
    builder.redirectError(top.resolve("err").toFile());
    builder.environment().putAll(environment);
    return builder;
  }

  Outcome finish(Process process, List<String> words) {
    try {
      if (!process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        throw new AssertionError("no end after " + TIMEOUT_SECONDS + " s: " + words);
      }
      return new Outcome(
          words,
          process.exitValue(),
          Files.readString(top.resolve("out")),
          Files.readString(top.resolve("err")));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /// A config whose mounts are the host's.
  static String withoutMountNamespace(String text) {
    return text.replace("{\"type\":\"mount\"}", "{\"type\":\"uts\"}")
        .replaceFirst("\\{\"type\":\"uts\"},", "")
        .replaceFirst("\"maskedPaths\":\\[.*?\\]", "\"maskedPaths\":[]")
        .replaceFirst("\"readonlyPaths\":\\[.*?\\]", "\"readonlyPaths\":[]");
  }

  /// What a command that must succeed says.
  static String text(Outcome outcome) {
    if (outcome.status() != 0) throw new AssertionError(outcome.toString());
    return outcome.out();
  }

  Outcome run(ProcessBuilder builder) {
    try {
      return finish(builder.start(), builder.command());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// The top of a cgroup hierarchy in which processes may be anywhere.
  Path aHierarchy() {
    return hierarchies.stream()
        .filter(path -> path.toString().matches(".*/(pids|freezer|unified|cgroup)"))
        .findFirst()
        .orElseThrow();
  }

  /// What is on the machine of a container: its directory, cgroups, mounts of the host, loop
  /// devices, processes.
  List<String> left(String id) {
    List<String> left = new ArrayList<>();
    if (Files.exists(state().resolve(id))) left.add("directory " + state().resolve(id));
    for (Path hierarchy : hierarchies)
      if (Files.exists(hierarchy.resolve(id))) left.add("cgroup " + hierarchy.resolve(id));
    try {
      Files.readString(Path.of("/proc/self/mountinfo"))
          .lines()
          .filter(line -> line.contains(top.toString()))
          .forEach(line -> left.add("mount " + line));
      for (Path device : LoopDevices.kept(top)) left.add("device " + device);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    for (long pid : processes(id)) left.add("process " + pid);
    return left;
  }

  /// The same, given processes that were killed a moment to go.
  List<String> leftSoon(String id) {
    List<String> left = new ArrayList<>();
    eventually(() -> {
      left.clear();
      left.addAll(left(id));
      return left.isEmpty();
    });
    return left;
  }

  /// Processes with the id on their command line: clients and the helpers forked from them; and
  /// those in its cgroups.
  List<Long> processes(String id) {
    List<Long> found = new ArrayList<>();
    try (Stream<Path> all = Files.list(Path.of("/proc"))) {
      for (Path process : all.toList()) {
        String name = process.getFileName().toString();
        if (Character.isDigit(name.charAt(0)) && mentions(process, id))
          found.add(Long.valueOf(name));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return found;
  }

  private boolean mentions(Path process, String id) {
    try {
      String cmdline =
          new String(Files.readAllBytes(process.resolve("cmdline")), StandardCharsets.ISO_8859_1);
      // a helper that runs from its sealed memory file has no command line any more
      if (cmdline.isEmpty())
        return Files.readSymbolicLink(process.resolve("exe")).toString().startsWith("/memfd:jrun")
            && (Files.readSymbolicLink(process.resolve("cwd")).startsWith(top)
                || hasMountsOfItsOwn(process));
      // criu is told nothing on its command line, but has the variables of the command that asked
      if (cmdline.startsWith("criu\0"))
        return new String(
                Files.readAllBytes(process.resolve("environ")), StandardCharsets.ISO_8859_1)
            .contains(top.toString());
      return ("\0" + cmdline).contains("\0" + id + "\0");
    } catch (IOException e) {
      return false; // it has ended
    }
  }

  /// Whether anything of this sandbox is mounted in its root. A process of another test has a copy
  /// of the host's mounts until it enters its root, with those that a container of this one has
  /// there.
  private boolean hasMountsOfItsOwn(Path process) throws IOException {
    return Files.readString(process.resolve("mountinfo"))
        .lines()
        .anyMatch(
            line -> line.contains(top.toString()) && !line.split(" ")[4].startsWith("" + top));
  }

  long enginePid() {
    return enginePid(install().resolve("bin/jrun"));
  }

  /// @param jrun whose engine it is, which is started where none runs
  private long enginePid(Path jrun) {
    run(command(jrun, Map.of(), "--version"));
    String status = text(run(command(jrun, Map.of(), "engine", "status", "-f", "json")));
    return Long.parseLong(status.replaceFirst(".*\"pid\":([0-9]+).*\\s*", "$1"));
  }

  void killEngine() {
    killEngine(install().resolve("bin/jrun"));
  }

  /// @param jrun whose engine it is
  void killEngine(Path jrun) {
    long pid = enginePid(jrun);
    ProcessHandle.of(pid).orElseThrow().destroyForcibly();
    if (!eventually(() -> !runs(pid))) throw new AssertionError("engine " + pid + " does not end");
  }

  /// Whether there is such a process; a zombie, which waits for whoever adopted it, is none. Of
  /// processes that are not the caller's children `ProcessHandle.onExit` looks every 300 ms.
  static boolean runs(long pid) {
    return Files.exists(Path.of("/proc", pid + "", "exe"));
  }

  static long descriptors() {
    try (Stream<Path> all = Files.list(Path.of("/proc/self/fd"))) {
      return all.count();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() throws IOException {
    try (Stream<Path> walk = Files.walk(top)) {
      for (Path path : walk.sorted(Comparator.reverseOrder()).toList()) Files.deleteIfExists(path);
    }
  }
}

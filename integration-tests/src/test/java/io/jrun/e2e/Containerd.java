package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jrun.e2e.ContainerdRelease.Handler;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// A containerd with its own root, state, socket and CNI directories, in a network namespace that
/// plays its machine. jrun's engine there is its own too, as there is one per network namespace.
///
/// The shim under test is the system property `jrun.shim`, by default `io.containerd.jrun.v2`; with
/// `-Djrun.shim=io.containerd.runc.v2` the same tests run against their model, and with
/// `-Djrun.shim=/PATH/containerd-shim-jrun-v2` pods are configured with runc's type and that path.
/// Another containerd than the one on the PATH is named by [ContainerdRelease].
final class Containerd implements AutoCloseable {
  private static final String JRUN = "io.containerd.jrun.v2";
  static final String SHIM = System.getProperty("jrun.shim", JRUN);

  /// What containerd takes for runc's shim, and for its features, is a shim that is named by path.
  private static final boolean AS_RUNC = SHIM.startsWith("/");

  private static final String RUNC = "io.containerd.runc.v2";

  /// The handler of pods whose cgroups are systemd's.
  static final String SYSTEMD = "systemd";

  /// The handler of pods whose streams belong to user 1234 and group 2345.
  static final String OWNED = "owned";

  /// The handler that containerd 2 asks for its features.
  static final String FEATURED = "featured";

  /// The handler of pods whose sandbox the shim makes itself, of containerd 2.
  static final String SANDBOXED = "sandboxed";

  static final String IMAGE = "jrun.test/busybox:1";
  static final String PAUSE = "jrun.test/pause:1";

  /// Like [#IMAGE], with SIGUSR1 as its stop signal.
  static final String STOPPED_BY_USR1 = "jrun.test/usr1:1";

  private final String tag = "e2e-cd-" + UUID.randomUUID().toString().substring(0, 8);
  private final Path temp = Path.of("/tmp", tag);
  private final Path socket = temp.resolve("containerd.sock");
  private final Path jrun = RuntimeBinary.underTest().path();
  private final ContainerdRelease release = ContainerdRelease.underTest();
  private @Nullable Process daemon;

  /// @param network the node's CNI configuration, in which `@DIR@` stands for [#temp]; empty for
  ///   none
  /// @param labels whether containers get labels of SELinux
  Containerd(String network, boolean labels) throws IOException {
    assumeTrue((Integer) Files.getAttribute(Path.of("/proc/self"), "unix:uid") == 0, "needs root");
    for (String tool : List.of(release.daemon(), release.ctr()))
      assumeTrue(
          Command.of("sh", "-c", "command -v " + tool).run().status() == 0,
          tool + " is not installed");
    assumeTrue(!(AS_RUNC && release.isBefore17()), "containerd 1.6 has no runtime_path");
    assertThat(jrun).as("the runtime to test; run `make`").isExecutable();
    Files.createDirectories(temp.resolve("net.d"));
    Files.writeString(
        temp.resolve("config.toml"), release.configuration(temp, PAUSE, labels, handlers()));
    if (release.hasBlockfile())
      Command.of("mkfs.ext4", "-q", temp.resolve("scratch").toString(), "32M").run().succeeds();
    if (!network.isEmpty())
      Files.writeString(
          temp.resolve("net.d/10-test.conflist"), network.replace("@DIR@", temp.toString()));
    Files.createDirectories(temp.resolve("bin"));
    for (String plugin : List.of("bridge", "host-local", "portmap", "loopback"))
      Files.createSymbolicLink(
          temp.resolve("bin").resolve(plugin), CniNode.REFERENCE.resolve(plugin));
    Files.createSymbolicLink(temp.resolve("bin/simplecni"), jrun);
    Command.of("ip", "netns", "add", tag).run().succeeds();
    inside("ip", "link", "set", "lo", "up").run().succeeds();
    start();
    image(IMAGE, "", "sh");
    image(PAUSE, "", "sleep", "2147483647");
    image(STOPPED_BY_USR1, "SIGUSR1", "sh");
  }

  private void image(String name, String stopSignal, String... command) throws IOException {
    Path archive = ContainerdImage.write(temp.resolve("image.tar"), name, stopSignal, command);
    for (String namespace : List.of(tag, "k8s.io"))
      ctrIn(namespace, "images", "import", archive.toString()).run().succeeds();
  }

  static boolean isJrun() {
    return SHIM.contains("jrun");
  }

  private List<Handler> handlers() throws IOException {
    String shim = jrun.resolveSibling("containerd-shim-jrun-v2").toString();
    return List.of(
        handler("test", ""),
        handler(SYSTEMD, "SystemdCgroup = true\n"),
        handler(OWNED, "IoUid = 1234\nIoGid = 2345\n"),
        new Handler(FEATURED, RUNC, isJrun() ? shim : "", "", ""),
        // containerd finds this shim by its type alone
        new Handler(SANDBOXED, JRUN, "", "", release.isMajor2() ? "shim" : ""));
  }

  private Handler handler(String name, String options) throws IOException {
    if (AS_RUNC) return new Handler(name, RUNC, SHIM, options, "");
    if (SHIM.equals(RUNC) || options.isEmpty() || !release.isBefore17())
      return new Handler(name, SHIM, "", options, "");
    Path file = Files.writeString(temp.resolve(name + ".toml"), options);
    return new Handler(name, SHIM, "", "ConfigPath = \"" + file + "\"\n", "");
  }

  /// Part of every name that is made here, and the containerd namespace of [#ctr].
  String tag() {
    return tag;
  }

  Path temp() {
    return temp;
  }

  Path socket() {
    return socket;
  }

  long pid() {
    if (daemon == null) throw new IllegalStateException("containerd is not started");
    return daemon.pid();
  }

  /// Starts the daemon and waits until it answers.
  void start() throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(
                "nsenter",
                "--net=/run/netns/" + tag,
                "--",
                release.daemon(),
                "--config",
                temp.resolve("config.toml").toString())
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log().toFile()))
            .redirectInput(new File("/dev/null"));
    // where a restore leaves the images of a checkpoint
    builder.environment().put("TMPDIR", temp.toString());
    builder.environment().remove("XDG_RUNTIME_DIR");
    builder
        .environment()
        .merge("PATH", jrun.resolveSibling("").toString(), (old, bin) -> bin + ":" + old);
    Process started = builder.start();
    daemon = started;
    boolean answers =
        EndToEnd.eventually(() -> !started.isAlive() || ctr("version").run().status() == 0);
    assertThat(answers && started.isAlive()).as("containerd answers:%n%s", logText()).isTrue();
  }

  /// SIGKILL, as when it crashes.
  void kill() {
    end(true);
  }

  private void end(boolean forcibly) {
    Process process = daemon;
    daemon = null;
    if (process == null) return;
    try {
      if (forcibly) process.destroyForcibly();
      else process.destroy();
      if (!process.waitFor(Command.TIMEOUT_SECONDS, TimeUnit.SECONDS))
        process.destroyForcibly().waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  Path log() {
    return temp.resolve("containerd.log");
  }

  String logText() {
    try {
      return Files.readString(log());
    } catch (IOException e) {
      return e.toString();
    }
  }

  /// A ctr command in this containerd's own namespace.
  Command ctr(String... words) {
    return ctrIn(tag, words);
  }

  Command ctrIn(String namespace, String... words) {
    List<String> all =
        new ArrayList<>(
            List.of(release.ctr(), "--address", socket.toString(), "--namespace", namespace));
    all.addAll(List.of(words));
    return Command.of(all);
  }

  /// A command on the machine that this plays.
  Command inside(String... words) {
    List<String> all = new ArrayList<>(List.of("nsenter", "--net=/run/netns/" + tag, "--"));
    all.addAll(List.of(words));
    return Command.of(all);
  }

  Command jrun(String... words) {
    List<String> all = new ArrayList<>(List.of(jrun.toString()));
    all.addAll(List.of(words));
    return inside(all.toArray(String[]::new));
  }

  /// Of the engine of the machine that this plays, which is started where none runs.
  long enginePid() {
    jrun("--version").run().succeeds();
    return Config.json(jrun("engine", "status", "--format", "json").run().succeeds().out())
        .get("pid")
        .asLong();
  }

  /// The processes of the machine that this plays, apart from the daemon and jrun's engine: shims,
  /// and containers with the host's network.
  List<String> shims() {
    List<String> found = new ArrayList<>();
    try {
      String network = Files.readSymbolicLink(Path.of("/proc/" + pid() + "/ns/net")).toString();
      try (Stream<Path> all = Files.list(Path.of("/proc"))) {
        for (Path process : all.toList()) {
          String name = process.getFileName().toString();
          if (!name.matches("\\d+") || name.equals(String.valueOf(pid()))) continue;
          String line = read(process.resolve("cmdline")).replace('\0', ' ').strip();
          if (line.isEmpty() || line.contains("io.jrun.runtime.engine.Main serve")) continue;
          if (network.equals(network(process))) found.add(name + " " + line);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return found;
  }

  private static String network(Path process) {
    try {
      return Files.readSymbolicLink(process.resolve("ns/net")).toString();
    } catch (IOException e) {
      return ""; // it has ended meanwhile
    }
  }

  private static String read(Path file) {
    try {
      return new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      return "";
    }
  }

  /// Ends it all, also what a failed test has left.
  @Override
  public void close() throws IOException {
    List<String> left = daemon == null ? List.of() : shims();
    if (isJrun()) jrun("engine", "stop").run();
    end(false);
    for (String line : left) // not one of them should be there; see ContainerdTest
    ProcessHandle.of(Long.parseLong(line.split(" ")[0])).ifPresent(ProcessHandle::destroyForcibly);
    unmountAll();
    removeCgroups();
    Command.of("ip", "netns", "del", tag).run();
    // the place of the containers' state, which stays with its namespace
    Files.deleteIfExists(Path.of("/run/containerd/jrun", tag));
    try (Stream<Path> walk = Files.walk(temp)) {
      for (Path path : walk.sorted(Comparator.reverseOrder()).toList()) Files.deleteIfExists(path);
    }
  }

  private void unmountAll() throws IOException {
    List<String> mounts =
        Files.readString(Path.of("/proc/self/mountinfo"))
            .lines()
            .map(line -> line.split(" ")[4])
            .filter(path -> path.startsWith(temp + "/"))
            .toList();
    for (String mount : mounts.reversed()) Command.of("umount", "-l", mount).run();
  }

  /// The parents of the containers' cgroups, which no runtime removes.
  private void removeCgroups() throws IOException {
    for (Path hierarchy : CgroupHierarchies.mountPoints()) {
      Path top = hierarchy.resolve(tag);
      if (!Files.isDirectory(top)) continue;
      try (Stream<Path> walk = Files.walk(top)) {
        for (Path path : walk.filter(Files::isDirectory).sorted(Comparator.reverseOrder()).toList())
          Files.deleteIfExists(path);
      }
    }
  }
}

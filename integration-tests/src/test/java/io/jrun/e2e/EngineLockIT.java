package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// The lock of who starts an engine, in a network namespace that has an engine of its own.
@JrunOnly
class EngineLockIT extends EndToEnd {
  private static final Path ENGINES = Path.of("/run/jrun-engine");

  @BeforeEach
  void makeNamespace() {
    Command.of("ip", "netns", "add", tag).run().succeeds();
  }

  @AfterEach
  void removeNamespace() {
    inside("engine", "stop").run();
    Command.of("ip", "netns", "del", tag).run();
  }

  private Command inside(String... words) {
    List<String> all = new ArrayList<>(List.of("nsenter", "--net=/run/netns/" + tag, "--"));
    all.addAll(command(words).words());
    return Command.of(all);
  }

  private long pid() {
    Outcome status = inside("engine", "status", "--format", "json").run().succeeds();
    return Config.json(status.out()).at("/pid").asLong();
  }

  @Test
  void whoAsksForTheEngineLeavesNone() throws IOException {
    for (int i = 0; i < 2; i++) {
      assertThat(inside("engine", "status").run().exits(1).err()).contains("no engine runs");
    }
    inside("--version").run().succeeds();
    long first = pid();
    assertThat(runs(first)).isTrue();
    assertThat(pid()).isEqualTo(first);
    inside("engine", "stop").run().succeeds();
    assertThat(inside("engine", "status", "--format", "json").run().exits(1).out()).isEmpty();
  }

  /// The first command of its engine, which goes on.
  private Command.Running runSleeper() throws IOException {
    config.args("sleep", "1000");
    bundle.write(config);
    Command.Running first = inside("run", "--bundle", bundle.path().toString(), id).start();
    assertThat(eventually(() -> ids().contains(id) && status().equals("running"))).isTrue();
    return first;
  }

  @Test
  void anEngineIsInUseFromItsFirstCommandOn() throws IOException {
    Command.Running first = runSleeper();
    long engine = pid();
    assertThat(pid()).isEqualTo(engine);
    runtime("kill", id, "KILL").succeeds();
    first.finish();
  }

  @Test
  void anEngineWhoseFirstCommandGoesOnIsReplaced() throws IOException {
    Command.Running first = runSleeper();
    inside("engine", "restart").run().succeeds();
    inside("engine", "status").run().exits(1);
    runtime("kill", id, "KILL").succeeds();
    first.finish();
  }

  private static List<Path> locks() throws IOException {
    try (Stream<Path> all = Files.list(ENGINES)) {
      return all.filter(path -> path.toString().endsWith(".lock")).toList();
    }
  }

  @Test
  void aLockThatWasRemovedMeanwhileCountsForNothing() throws IOException {
    Files.createDirectory(root); // to have something to list
    inside("list").run().succeeds();
    long first =
        Config.json(inside("engine", "status", "--format", "json").run().out()).at("/pid").asLong();
    // a namespace may have the number of one that is gone, and its lock be there already
    Path lock = locks().stream().filter(path -> isOf(path, first)).findFirst().orElseThrow();
    inside("engine", "stop").run().succeeds();
    Command.Running holder =
        Command.of("flock", "--exclusive", "--no-fork", lock.toString(), "sleep", "1000").start();
    try {
      assertThat(eventually(() -> isHeld(lock))).isTrue();
      Command.Running waits = inside("list").start();
      pause(500);
      assertThat(waits.process().isAlive()).isTrue();
      Files.delete(lock);
      holder.process().destroyForcibly();
      waits.finish().succeeds();
      assertThat(lock).as("the lock of those that come now").exists();
    } finally {
      holder.process().destroyForcibly();
      holder.finish();
    }
  }

  /// The engine's command line ends with the name of its files.
  private static boolean isOf(Path lock, long engine) {
    String base = lock.toString().replaceFirst("\\.lock$", "");
    try {
      return Files.readString(Path.of("/proc/" + engine + "/cmdline")).contains(base);
    } catch (IOException e) {
      return false;
    }
  }

  private static boolean isHeld(Path lock) {
    return Command.of("flock", "--nonblock", lock.toString(), "true").run().status() != 0;
  }
}

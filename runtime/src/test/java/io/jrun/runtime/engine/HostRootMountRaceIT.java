package io.jrun.runtime.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrun.runtime.engine.Stages.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Containers without a mount namespace on one root file system, whose mounts lie on each other: at
/// every stage of a command on one of them another's is performed, and at the end nothing is
/// mounted.
class HostRootMountRaceIT extends EngineTest {
  /// How long the second command is given, as it may have to wait for the first one.
  private static final int MILLIS = 100;

  private Thread second = new Thread();

  /// @param there those that are there before, each on those before it
  @ParameterizedTest
  @CsvSource({
    "a b, delete, a, delete, b",
    "a b, delete, b, delete, a",
    "a b, create, c, delete, b",
    "'', create, a, create, b"
  })
  void nothingIsLeft(String there, String first, String of, String then, String other)
      throws Exception {
    sandbox.config(Sandbox::withoutMountNamespace);
    List<String> before = Stream.of(there.split(" ")).filter(name -> !name.isEmpty()).toList();
    Stages counted = Stages.counting();
    race(before, counted, first, of);
    for (Kind kind : Kind.values())
      for (int number : SweptSteps.upTo(counted.seen(kind))) {
        race(before, new Stages(kind, number, () -> meanwhile(then, id(other))), first, of);
        assertThat(mounts()).as("after %s and %s at %s %d", first, then, kind, number).isEmpty();
      }
  }

  private void race(List<String> before, Stages stages, String first, String of)
      throws InterruptedException {
    for (String name : before) made("create", id(name));
    engine.observe(stages);
    try {
      made(first, id(of));
    } finally {
      engine.observe(null);
      second.join();
    }
    for (String name : List.of("a", "b", "c")) made("delete", "--force", id(name));
  }

  private void meanwhile(String... words) {
    second = Thread.ofPlatform().start(() -> command(words));
    try {
      second.join(MILLIS);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private String id(String name) {
    return sandbox.tag() + "-" + name;
  }

  private List<String> mounts() throws IOException {
    return Files.readString(Path.of("/proc/self/mountinfo"))
        .lines()
        .filter(line -> line.contains(sandbox.bundle().toString()))
        .toList();
  }

  @AfterEach
  void takeAwayWhatIsLeft() throws Exception {
    sandbox.config(text -> text);
    while (!mounts().isEmpty())
      new ProcessBuilder("umount", "--lazy", sandbox.bundle().resolve("rootfs").toString())
          .start()
          .waitFor();
  }
}

package io.jrun.runtime.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;

/// Kills the engine between its calls while it serves a life of tasks: what containerd is told must
/// be the same as where nothing is killed.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class ShimCrashSweep {
  private static final int MOST = 3000;

  Sandbox sandbox;
  private CrashingInstallation installation;

  @BeforeAll
  void install() throws IOException {
    sandbox = new Sandbox();
    configure();
    installation = new CrashingInstallation(sandbox);
  }

  @AfterAll
  void end() throws IOException {
    if (installation != null) installation.close();
    if (sandbox != null) sandbox.close();
  }

  /// Writes the config of the tasks.
  abstract void configure() throws IOException;

  /// A life, seen from containerd: all that it was told.
  abstract List<String> live(ShimPod pod) throws Exception;

  /// The files that tasks write, of which each life begins without.
  abstract List<Path> logs();

  private List<String> whole(String id) throws Exception {
    List<String> told = new ArrayList<>();
    try (EventSink sink = new EventSink(ShimPod.events(sandbox.top()));
        ShimPod pod = new ShimPod(installation.shim(), sandbox.bundle(), sandbox.top(), id)) {
      told.addAll(live(pod));
      pod.shutDown();
      told.addAll(sink.events());
    }
    for (Path log : logs()) told.add(log.getFileName() + ": " + read(log));
    told.add("left: " + sandbox.leftSoon(id));
    return told;
  }

  private static String read(Path log) throws IOException {
    return Files.exists(log) ? Files.readString(log) : "";
  }

  private List<String> fresh(String id) throws Exception {
    for (Path log : logs()) Files.deleteIfExists(log);
    return whole(id);
  }

  List<String> undisturbed() throws Exception {
    return fresh(sandbox.tag());
  }

  /// @param every from one call to the next at which the engine dies
  /// @param whole what is told where it does not
  /// @param atLeast so many crashes
  void sweep(int every, List<String> whole, int atLeast) throws Exception {
    List<String> wrong = new ArrayList<>();
    int number = 1;
    int died = 0;
    while (number < MOST) {
      int engines = installation.engines().size();
      installation.crash(Stages.Kind.CALL, number, false);
      List<String> told;
      try {
        told = fresh(sandbox.tag());
      } catch (AssertionError e) {
        told = List.of(String.valueOf(e.getMessage()));
      }
      if (!told.equals(whole)) wrong.add("call " + number + ": " + told);
      if (installation.engines().size() == engines) break;
      died++;
      number += every;
    }
    assertThat(wrong).as("of %s", whole).isEmpty();
    assertThat(died).as("crashes").isGreaterThan(atLeast);
    assertThat(number).as("the calls of a whole life").isLessThan(MOST);
  }
}

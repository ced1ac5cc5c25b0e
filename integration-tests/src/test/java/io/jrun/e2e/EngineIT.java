package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// jrun's resident JVM: what it may lose and what it must not.
@JrunOnly
@Isolated
class EngineIT extends EndToEnd {
  private static boolean alive(long pid) {
    // a zombie has no cwd to read
    return Files.exists(Path.of("/proc", String.valueOf(pid), "cwd"));
  }

  /// Stops it, and waits until its process is gone too.
  private void stopEngine() {
    long pid = enginePid();
    runtime("engine", "stop").succeeds();
    assertThat(eventually(() -> !alive(pid))).as("the stopped engine %d ends", pid).isTrue();
  }

  @Test
  void statusTellsThePid() throws IOException {
    run().succeeds();
    long pid = enginePid();
    assertThat(alive(pid)).isTrue();
    run().succeeds();
    assertThat(enginePid()).as("one engine serves both").isEqualTo(pid);
    assertThat(runtime("engine", "status").succeeds().out()).contains(String.valueOf(pid));
  }

  @Test
  void aContainerIsRunWithoutSearchingEveryJar() throws IOException {
    assumeTrue(Command.PATIENCE == 1, "the engine's cache is of a machine with other cgroups");
    run().succeeds();
    stopEngine();
    run().succeeds();
    try (Stream<Path> descriptors = Files.list(Path.of("/proc/" + enginePid() + "/fd"))) {
      assertThat(descriptors.map(EngineIT::target).filter(file -> file.endsWith(".jar")))
          .as("jars that the engine has open, whose directories it keeps in its heap")
          .hasSizeLessThanOrEqualTo(2);
    }
  }

  private static String target(Path descriptor) {
    try {
      return Files.readSymbolicLink(descriptor).toString();
    } catch (IOException e) {
      return ""; // closed meanwhile
    }
  }

  @Test
  void stopEndsItAndTheNextCommandStartsAnother() throws IOException {
    run().succeeds();
    long pid = enginePid();
    stopEngine();
    assertThat(eventually(() -> !alive(pid))).as("engine %d is gone", pid).isTrue();
    run().succeeds();
    assertThat(enginePid()).isNotEqualTo(pid);
  }

  @Test
  void stopLosesNoContainer() throws IOException {
    startSleeper();
    stopEngine();
    assertThat(status()).isEqualTo("running");
    execSh("exit 3").exits(3);
    killAndDelete();
  }

  @Test
  void aCreatedContainerOutlivesTheEngine() throws IOException {
    config.sh("exit 0");
    create();
    stopEngine();
    assertThat(status()).isEqualTo("created");
    runtime("start", id).succeeds();
    awaitStatus("stopped");
    runtime("delete", id).succeeds();
  }

  @Test
  void withoutAnEngineTheSameHappens() throws IOException {
    run().succeeds();
    stopEngine();
    config.sh("cat; echo problem >&2; exit 7");
    Outcome outcome = onBundle("run").with("JRUN_ENGINE", "off").input("text").run().exits(7);
    assertThat(outcome.out()).isEqualTo("text");
    assertThat(outcome.err()).isEqualTo("problem\n");
    config.args("sleep", "1000");
    onBundle("create").with("JRUN_ENGINE", "off").run().succeeds();
    command("start", id).with("JRUN_ENGINE", "off").run().succeeds();
    command("exec", id, "sh", "-c", "exit 4").with("JRUN_ENGINE", "off").run().exits(4);
    command("delete", "--force", id).with("JRUN_ENGINE", "off").run().succeeds();
    assertThat(command("state", id).with("JRUN_ENGINE", "off").run().exits(1).err())
        .contains("does not exist");
  }

  @Test
  void aNamedEngineThatIsNotThereIsAnError() {
    Path nowhere = temp.resolve("nowhere.sock");
    command("list")
        .with("JRUN_ENGINE", nowhere.toString())
        .run()
        .failsInOneLine("no engine listens at JRUN_ENGINE", nowhere.toString());
    command("list")
        .with("JRUN_ENGINE", "engine.sock")
        .run()
        .failsInOneLine("JRUN_ENGINE is neither off nor an absolute path: engine.sock");
    command("features").with("JRUN_ENGINE", "").run().succeeds();
  }

  @Test
  void theFirstCommandsAtOnceStartOneEngine() throws IOException {
    stopEngine();
    List<Command.Running> first = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      id = newId();
      first.add(onBundle("run").start());
    }
    for (Command.Running running : first) {
      running.finish().succeeds();
    }
    long pid = enginePid();
    assertThat(ProcessHandle.allProcesses().map(ProcessHandle::pid))
        .filteredOn(other -> commandLine(other).equals(commandLine(pid)))
        .containsExactly(pid);
  }

  /// With the name of its socket at the end, which differs between builds and between network
  /// namespaces. [ProcessHandle] tells only the first page of one as long as this.
  private static String commandLine(long pid) {
    try {
      return Files.readString(Path.of("/proc/" + pid + "/cmdline"), StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      return ""; // it has ended
    }
  }

  @Test
  void killingTheEngineLosesNeitherExitStatusNorCleanup() throws IOException {
    config.sh("echo ready; sleep 2; exit 7");
    Command.Running running = onBundle("run").start();
    assertThat(eventually(() -> output(running).contains("ready"))).isTrue();
    kill(enginePid());
    running.finish().exits(7);
    assertThat(ids()).isEmpty();
    assertThat(cgroups()).isEmpty();
  }

  @Test
  void killingTheClientDuringCreateOrRunLeavesNothingAfterDelete() throws Exception {
    run().succeeds(); // the engine is there
    for (int i = 0; i < 30; i++) {
      id = newId();
      Command.Running running = onBundle(i % 2 == 0 ? "create" : "run").start();
      Thread.sleep(0, ThreadLocalRandom.current().nextInt(999_999));
      Thread.sleep(ThreadLocalRandom.current().nextInt(12));
      running.process().destroyForcibly();
      running.finish();
      runtime("delete", "--force", id).succeeds();
      // the engine may come to the killed client only now, and find it gone
      assertThat(eventually(() -> runtime("state", id).status() == 1)).isTrue();
    }
    assertThat(eventually(() -> processes().isEmpty())).isTrue();
    for (int i = 0; i < 500 && !cgroups().isEmpty(); i++) {
      pause(20); // the engine may still be rolling back
    }
    assertThat(cgroups()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void killingItInAHookLosesNoHookAfterTheEnd(boolean withItsClient) throws IOException {
    run().succeeds(); // it is there
    Path order = temp.resolve("order");
    String killed = enginePid() + (withItsClient ? " $PPID" : "");
    config.set(
        "/hooks",
        "{createRuntime:[{path:'/bin/sh',args:['sh','-c','kill -9 %s']}],".formatted(killed)
            + "poststop:[{path:'/bin/sh',args:['sh','-c','echo poststop >> %s']}]}"
                .formatted(order));
    Outcome outcome = onBundle("create").run();
    assertThat(outcome.status()).isEqualTo(withItsClient ? 128 + 9 : 1);
    if (withItsClient) runtime("delete", "--force", id).succeeds();
    assertThat(order).hasContent("poststop\n");
    assertThat(ids()).isEmpty();
  }

  @Test
  void theFirstCallersEnvironmentDoesNotReachLaterContainers() throws IOException {
    stopEngine();
    config.args("env");
    assertThat(onBundle("run").with("LEAK", "secret").run().succeeds().out())
        .doesNotContain("LEAK");
    id = newId();
    assertThat(run().succeeds().out()).doesNotContain("LEAK");
    config.set(
        "/hooks/createRuntime/-",
        "{path:'/bin/sh',args:['sh','-c','env > %s/env']}".formatted(temp));
    id = newId();
    run().succeeds();
    assertThat(Files.readString(temp.resolve("env"))).doesNotContain("LEAK");
    assertThat(Files.readString(Path.of("/proc", String.valueOf(enginePid()), "environ")))
        .doesNotContain("LEAK");
  }

  @Test
  void aCallersWorkingDirectoryAndUmaskAreItsOwn() throws IOException {
    run().succeeds();
    config.sh("umask");
    bundle.write(config);
    List<String> words = new ArrayList<>(List.of("sh", "-c", "umask 027; exec \"$@\"", "sh"));
    words.addAll(command("run", id).words());
    Outcome outcome = Command.of(words).in(bundle.path()).run().succeeds();
    assertThat(outcome.text()).isEqualTo(umaskOfRunc());
    assertThat(runSh("umask").succeeds().text()).isEqualTo("0022");
  }

  /// runc sets 0022 in every container whose config names no umask.
  private static String umaskOfRunc() {
    return "0022";
  }

  private static void kill(long pid) {
    ProcessHandle.of(pid).orElseThrow().destroyForcibly();
    assertThat(eventually(() -> !alive(pid))).isTrue();
  }

  private static String output(Command.Running running) {
    try {
      return running.outputSoFar();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}

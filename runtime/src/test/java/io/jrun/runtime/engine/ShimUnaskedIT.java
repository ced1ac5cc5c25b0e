package io.jrun.runtime.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Keepers of which nobody asks anything any more, as containerd has died: they end by themselves.
/// The engines here look for such ones sooner than others do.
class ShimUnaskedIT extends ShimTest {
  private static final int SIGKILL = 9;
  private static final long UNUSED_MILLIS = Sandbox.TIMEOUT_SECONDS * 200;

  @SuppressWarnings("NullAway.Init")
  private Installation installation;

  @BeforeEach
  void install() throws IOException {
    installation =
        Installation.make(
            sandbox,
            word ->
                word.equals("-cp")
                    ? Stream.of("-Djrun.shim.unusedMillis=" + UNUSED_MILLIS, word)
                    : Stream.of(word));
  }

  @Override
  Path program() {
    return installation.shim();
  }

  @Override
  void podIsGone() {
    ProcessBuilder stop = sandbox.command(installation.jrun(), Map.of(), "engine", "stop");
    Sandbox.text(sandbox.run(stop.directory(sandbox.top().toFile())));
  }

  private void killEngine() {
    sandbox.killEngine(installation.jrun());
  }

  /// A containerd that begins anew and gets no answer in time has the task removed by command, and
  /// then its bundle, while the keeper lives: it does not ask for it again.
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aKeeperForgetsWhatWasRemovedByCommand(boolean withAnotherEngine) throws Exception {
    shim();
    pod.ok("Create", pod.createRequest("", "", "", false));
    pod.ok("Start", pod.request());
    pod.deleteByCommand();
    if (withAnotherEngine) killEngine();
    Files.move(sandbox.bundle(), sandbox.top().resolve("removed"));
    pod.awaitKeeper();
    assertThat(sink.events()).last().isEqualTo("exit " + pod.id() + " 137");
  }

  /// containerd died after the last Delete, or after `start`, and so does not ask for the end.
  @Test
  void aKeeperWithoutATaskEndsByItself() throws Exception {
    shim();
    Thread.sleep(UNUSED_MILLIS / 5);
    pod.ok("Create", pod.createRequest("", "", "", false));
    Thread.sleep(UNUSED_MILLIS);
    pod.ok("Start", pod.request()); // a task that is there keeps it
    pod.ok("Kill", pod.request().uint32(3, SIGKILL));
    pod.ok("Wait", pod.request());
    pod.ok("Delete", pod.request());
    killEngine();
    pod.awaitKeeper();
    assertThat(Path.of(pod.address().replaceFirst("^unix://", ""))).doesNotExist();
    assertThat(sink.events()).last().isEqualTo("delete " + pod.id() + " 137");
  }
}

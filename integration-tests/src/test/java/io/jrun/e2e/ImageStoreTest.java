package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;

/// What tests of images share: a store of their own, and containers of the image `app` in it.
abstract class ImageStoreTest extends EndToEnd {
  /// Makes two halves that each have a path, and together none.
  static final String DEEP_TREE =
      "i=0; d=dd; while [ $i -lt 1000 ]; do d=$d/dd; i=$((i+1)); done;"
          + " busybox mkdir -p /a/$d /b/$d && busybox mv /b /a/$d/b";

  final String store() {
    return temp.resolve("store").toString();
  }

  final Command imageCommand(String command, String... words) {
    List<String> all = new ArrayList<>(List.of("image", command, "--store", store()));
    all.addAll(List.of(words));
    return command(all.toArray(String[]::new));
  }

  final Outcome image(String command, String... words) {
    return imageCommand(command, words).run();
  }

  /// `run` of the image `app` in the test's store.
  final Command runCommand(String... words) {
    List<String> all =
        new ArrayList<>(
            List.of("run", "--image", "app", "--store", store(), "-e", "E2E_TAG=" + tag));
    all.addAll(List.of(words));
    return command(all.toArray(String[]::new));
  }

  final Outcome runImage(String... words) {
    return runCommand(words).run();
  }

  /// Starts the command in an engine of its own, and kills both after that time.
  static void killAfter(int millis, Command command) throws IOException {
    Command.Running running = command.with("JRUN_ENGINE", "off").start();
    pause(millis);
    kill(running);
    running.finish();
  }

  /// The same at a moment that a registry knows; whether it came to that.
  static boolean killAt(int number, TinyRegistry registry, Command command) throws IOException {
    CompletableFuture<Command.Running> running = new CompletableFuture<>();
    AtomicBoolean isKilled = new AtomicBoolean();
    registry.moments =
        moment -> {
          if (moment != number) return;
          isKilled.set(true);
          kill(running.join());
        };
    running.complete(command.with("JRUN_ENGINE", "off").start());
    running.join().finish();
    registry.moments = moment -> {};
    return isKilled.get();
  }

  private static void kill(Command.Running running) {
    List<ProcessHandle> all = new ArrayList<>(running.process().descendants().toList());
    all.add(running.process().toHandle());
    all.forEach(ProcessHandle::destroyForcibly);
    // of processes that are not the caller's children, onExit looks every 300 ms
    assertThat(eventually(() -> all.stream().noneMatch(process -> runs(process.pid())))).isTrue();
  }
}

package io.jrun.e2e;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/// A copy of the installation under test, which the test may change, with engines of its own.
abstract class OwnInstallationTest extends EndToEnd {
  final Path prefix = temp.resolve("prefix");

  @BeforeEach
  void install() throws IOException {
    Files.createDirectories(prefix);
    copy(RUNTIME.path().resolveSibling("../bin"), prefix);
    copy(RUNTIME.path().resolveSibling("../lib"), prefix);
  }

  @AfterEach
  void stopItsEngine() {
    installed("engine", "stop").succeeds();
  }

  static void copy(Path from, Path to) {
    Command.of("cp", "-a", from.toString(), to.toString()).run().succeeds();
  }

  final Command installedCommand(String... arguments) {
    return new RuntimeBinary(prefix.resolve("bin/jrun")).command(root, arguments);
  }

  final Outcome installed(String... arguments) {
    return installedCommand(arguments).run();
  }

  @Override
  long enginePid() {
    installed("--version").succeeds();
    return Config.json(installed("engine", "status", "--format", "json").succeeds().out())
        .get("pid")
        .asLong();
  }
}

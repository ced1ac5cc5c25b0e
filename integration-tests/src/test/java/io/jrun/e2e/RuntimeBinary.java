package io.jrun.e2e;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// The runtime under test: system property `jrun.runtime`, by default the repository's
/// `build/install/bin/jrun`.
record RuntimeBinary(Path path) {

  static RuntimeBinary underTest() {
    String given = System.getProperty("jrun.runtime", "");
    return new RuntimeBinary(
        given.isEmpty()
            ? repository().resolve("build/install/bin/jrun")
            : Path.of(given).toAbsolutePath());
  }

  private static Path repository() {
    Path module = Path.of(System.getProperty("basedir", "")).toAbsolutePath();
    return module.endsWith("integration-tests") ? module.resolveSibling("") : module;
  }

  boolean isJrun() {
    return path.getFileName().toString().startsWith("jrun");
  }

  /// Whether the command's own help names the flag: runc gained some of them lately.
  boolean knowsFlag(String command, String flag) {
    Outcome help = Command.of(path.toString(), command, "--help").run();
    return (help.out() + help.err()).contains(flag);
  }

  /// Skips a test of what runc has only since 1.2 and crun not at all.
  void assumeRecent(String what) {
    assumeTrue(knowsFlag("create", "--pidfd-socket"), "this runtime is too old for " + what);
  }

  /// The command line of this runtime with a state directory of its own.
  Command command(Path root, String... arguments) {
    List<String> words = new ArrayList<>(List.of(path.toString(), "--root", root.toString()));
    words.addAll(List.of(arguments));
    return Command.of(words);
  }
}

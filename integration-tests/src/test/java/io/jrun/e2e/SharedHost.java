package io.jrun.e2e;

import java.util.ArrayList;
import java.util.List;

/// A mount namespace of a test's own that takes the host's place, with all its mounts shared: what
/// a runtime changes in it, or leaves there, is gone with it.
final class SharedHost {
  private SharedHost() {}

  /// Runs a shell script there.
  ///
  /// @param words its `"$@"`
  static Outcome sh(String script, List<String> words) {
    List<String> all =
        new ArrayList<>(
            List.of(
                "unshare",
                "--mount",
                "--propagation",
                "private",
                "sh",
                "-ec",
                "mount --make-rshared /; " + script,
                "sh"));
    all.addAll(words);
    return Command.of(all).with("JRUN_ENGINE", "off").run();
  }
}

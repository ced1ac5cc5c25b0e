package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Engines of mount namespaces that are made for one command, as `ip netns exec` and `unshare` do.
@JrunOnly
class LoneEngineIT extends EndToEnd {
  /// Runs a shell script in a new mount and network namespace, in which a command has started an
  /// engine, of which its `"$@"` tells.
  private Outcome apart(String script) {
    List<String> words = new ArrayList<>(List.of("unshare", "--mount", "--net", "sh", "-ec"));
    words.addAll(List.of("\"$1\" --version > /dev/null; " + script, "sh"));
    words.addAll(command("engine", "status", "--format", "json").words());
    return Command.of(words).run().succeeds();
  }

  private static long pid(String status) {
    return Config.json(status).get("pid").asLong();
  }

  @Test
  void oneThatNobodyCanReachAnyMoreKeepsNoNamespace() {
    long pid = pid(apart("\"$@\"").out());
    assertThat(eventually(() -> !runs(pid))).as("engine %d leaves", pid).isTrue();
  }

  @Test
  void oneThatSomebodyMayAskAgainStays() {
    List<String> both = apart("\"$@\"; sleep 7; \"$@\"").out().lines().toList();
    assertThat(both).hasSize(2);
    assertThat(pid(both.getLast())).isEqualTo(pid(both.getFirst()));
  }
}

package io.jrun.runtime.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrun.runtime.engine.Sandbox.Outcome;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;

/// Real helpers whose engine is the test itself, so that it sees their calls and may fail them.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class EngineTest {
  private int serial;
  Sandbox sandbox;
  TestEngine engine;

  @BeforeAll
  void startEngine() throws Exception {
    sandbox = new Sandbox();
    engine = TestEngine.at(socket(), sandbox.library());
    // what is loaded and opened once is there before anything is counted
    for (int i = 0; i < 3; i++) {
      String id = newId();
      made("run", "--detach", id);
      made("exec", id, "true");
      made("delete", "--force", id);
    }
  }

  @AfterAll
  void endEngine() throws Exception {
    if (engine != null) engine.close();
    if (sandbox != null) sandbox.close();
  }

  private Path socket() {
    return sandbox.top().resolve("engine.sock");
  }

  /// What each command has in its environment.
  Map<String, String> environment() {
    return Map.of();
  }

  /// Performs a command that succeeds.
  void made(String... words) {
    Outcome outcome = command(words);
    assertThat(outcome.status()).as("%s", outcome).isZero();
  }

  /// Performs a command, and waits until the engine is done with it.
  Outcome command(String... words) {
    Map<String, String> variables = new HashMap<>(environment());
    variables.put("JRUN_ENGINE", socket().toString());
    Outcome outcome = sandbox.run(sandbox.command(variables, words));
    try {
      TestEngine.End end = engine.awaitEnd();
      if (end.unreported() != null)
        throw new AssertionError("unreported by " + outcome, end.unreported());
      return outcome;
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  String newId() {
    return sandbox.tag() + "-" + serial++;
  }
}

package io.jrun.e2e;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;

/// Images that one runtime writes and the other restores.
@EnabledIf(value = "io.jrun.e2e.CheckpointTest#criuWorks", disabledReason = CheckpointTest.NO_CRIU)
class CheckpointRuncIT extends CheckpointTest {
  @Test
  void runcsImagesAreJrunsAndTheOtherWayRound() throws IOException {
    assumeTrue(RUNTIME.isJrun(), "of jrun beside runc");
    Machine.assumeInstalled("runc");
    config.remove("/linux", "namespaces");
    config.namespaces("pid", "mount", "ipc", "uts", "network");
    startCounting();
    checkpoint().succeeds();
    int saved = count();
    Path state = temp.resolve("runc-state");
    List<String> runc = List.of("runc", "--root", state.toString());
    try {
      quietly(
              runcCommand(
                  runc,
                  "restore",
                  "-d",
                  "--bundle",
                  bundle.path().toString(),
                  "--image-path",
                  images.toString(),
                  id))
          .succeeds();
      awaitCountAbove(saved);
      runcCommand(runc, "checkpoint", "--image-path", temp + "/back", id).run().succeeds();
      saved = count();
      images = temp.resolve("back");
      restore();
      awaitCountAbove(saved);
    } finally {
      runcCommand(runc, "delete", "--force", id).run();
    }
  }

  private static Command runcCommand(List<String> runc, String... rest) {
    List<String> words = new ArrayList<>(runc);
    words.addAll(List.of(rest));
    return Command.of(words);
  }
}

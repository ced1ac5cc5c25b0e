package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;

/// The namespaces of a container that is saved.
@EnabledIf(value = "io.jrun.e2e.CheckpointTest#criuWorks", disabledReason = CheckpointTest.NO_CRIU)
class CheckpointNamespacesIT extends CheckpointTest {
  @Test
  void aJoinedNetworkNamespaceIsJoinedAgain() throws IOException {
    assumeFeature("external_net_ns");
    Command.of("ip", "netns", "add", tag).run().succeeds();
    try {
      String path = "/run/netns/" + tag;
      config.namespaces("pid", "mount", "ipc", "uts");
      config.set("/linux/namespaces/-", "{type:'network',path:'" + path + "'}");
      startCounting();
      checkpoint().succeeds();
      int saved = count();
      restore();
      awaitCountAbove(saved);
      assertThat(
              Command.of("stat", "-Lc", "%i", "/proc/" + state().get("pid").asString() + "/ns/net")
                  .run()
                  .text())
          .isEqualTo(Command.of("stat", "-Lc", "%i", path).run().text());
      killAndDelete();
    } finally {
      Command.of("ip", "netns", "del", tag).run().succeeds();
    }
  }
}

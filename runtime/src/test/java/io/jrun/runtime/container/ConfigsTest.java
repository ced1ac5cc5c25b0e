package io.jrun.runtime.container;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrun.specs.json.SpecException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class ConfigsTest {
  private static final byte[] REFUSED =
      """
      {"ociVersion":"1.0.0","root":{"path":"rootfs"},"hostname":"kept",
       "process":{"cwd":"/","args":["true"]},"linux":{"namespaces":[{"type":"mount"},{"type":"uts"}],
       "resources":{"blockIO":{"weight":5}}}}\
      """
          .getBytes(StandardCharsets.UTF_8);

  /// Another version may have taken what this one refuses, and its containers must be listed, ended
  /// and deleted.
  @Test
  void theConfigOfAContainerThatIsThereIsTakenAsItIs() {
    Configs configs = new Configs();
    assertThatThrownBy(() -> configs.runnable(REFUSED)).isInstanceOf(SpecException.class);
    StoredState.Given given =
        new StoredState.Given("c", "/b", "/b/rootfs", Instant.EPOCH, 0, 0, false, null, "", null);
    Store.Stored stored = new Store.Stored(StoredState.begun(given), REFUSED, true);
    assertThat(configs.of(stored).hostname()).isEqualTo("kept");
  }
}

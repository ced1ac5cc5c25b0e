package io.jrun.specs.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrun.specs.schema.JsonSchema;
import io.jrun.specs.schema.OciSamples;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class DefaultConfigTest {
  @Test
  void isValidWithoutWarnings() {
    for (boolean rootless : List.of(true, false)) {
      Config config = DefaultConfig.create(rootless, 1000, 1001);
      assertThat(ConfigValidator.problems(config)).isEmpty();
      assertThat(ConfigValidator.warnings(config)).isEmpty();
      assertThat(Config.read(config.toJson())).isEqualTo(config);
    }
  }

  @Test
  void conformsToTheSchema() {
    JsonSchema schema = new JsonSchema(OciSamples.runtimeSpec());
    for (boolean rootless : List.of(true, false)) {
      assertThat(
              schema.problems(
                  "config-schema.json", DefaultConfig.create(rootless, 1000, 1001).toJson()))
          .isEmpty();
    }
  }

  @Test
  void printsWhatRuncPrints() throws IOException {
    assertThat(DefaultConfig.create(false, 0, 0).toJson().toText("\t"))
        .isEqualTo(Files.readString(Path.of("src/test/golden/spec.json")).stripTrailing());
    assertThat(DefaultConfig.create(true, 1000, 1001).toJson().toText("\t"))
        .isEqualTo(Files.readString(Path.of("src/test/golden/spec-rootless.json")).stripTrailing());
  }

  @Test
  void aStateViewIsAState() {
    ContainerStateView view =
        new ContainerStateView(
            Config.OCI_VERSION,
            "c1",
            0,
            Status.STOPPED,
            "/bundle",
            "/bundle/rootfs",
            Instant.parse("2026-01-02T03:04:05.678901234Z"),
            Map.of(),
            "",
            List.of());
    assertThat(view.toJson().toText())
        .isEqualTo(
            "{\"ociVersion\":\"1.3.0\",\"id\":\"c1\",\"pid\":0,\"status\":\"stopped\","
                + "\"bundle\":\"/bundle\",\"rootfs\":\"/bundle/rootfs\","
                + "\"created\":\"2026-01-02T03:04:05.678901234Z\",\"owner\":\"\"}");
    JsonSchema schema = new JsonSchema(OciSamples.runtimeSpec());
    assertThat(schema.problems("state-schema.json", view.toJson())).isEmpty();
  }
}

package io.jrun.specs.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.SpecException;
import io.jrun.specs.schema.JsonSchema;
import io.jrun.specs.schema.OciSamples;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

final class OciSamplesTest {
  @Test
  void goodConfigsRoundTripWithoutLoss() throws IOException {
    JsonSchema schema = new JsonSchema(OciSamples.runtimeSpec());
    for (Path sample : OciSamples.samples("config", "good")) {
      byte[] json = Files.readAllBytes(sample);
      Json written = Config.read(json).toJson();
      assertThat(written).as(sample.toString()).isEqualTo(Json.parse(json));
      assertThat(schema.problems("config-schema.json", written)).as(sample.toString()).isEmpty();
    }
  }

  @Test
  void goodConfigsForLinuxAreValidApartFromOldVersionAndMissingMappings() throws IOException {
    for (Path sample : OciSamples.samples("config", "good")) {
      String name = sample.getFileName().toString();
      if (name.startsWith("zos") || name.startsWith("freebsd")) {
        continue; // for other platforms, and without the namespaces that Linux asks for
      }
      assertThat(ConfigValidator.problems(Config.read(Files.readAllBytes(sample))))
          .as(name)
          .allMatch(problem ->
              problem.pointer().equals("/ociVersion")
                  || problem.pointer().equals("/linux/netDevices"));
    }
  }

  @Test
  void badConfigsAreRefused() throws IOException {
    for (Path sample : OciSamples.samples("config", "bad")) {
      if (sample.getFileName().toString().startsWith("freebsd")) {
        continue; // what is for other platforms is kept, not read
      }
      byte[] json = Files.readAllBytes(sample);
      assertThatThrownBy(() -> Config.readValid(json))
          .as(sample.toString())
          .isInstanceOf(SpecException.class);
    }
  }

  @Test
  void theSchemaCheckerRefusesEveryBadConfigThatIsJson() throws IOException {
    JsonSchema schema = new JsonSchema(OciSamples.runtimeSpec());
    for (Path sample : OciSamples.samples("config", "bad")) {
      if (!sample.endsWith("invalid-json.json")) {
        Json bad = Json.parse(Files.readAllBytes(sample));
        assertThat(schema.problems("config-schema.json", bad)).as(sample.toString()).isNotEmpty();
      }
    }
  }

  @Test
  void statesAndFeaturesRoundTripAndBadOnesAreRefused() throws IOException {
    JsonSchema schema = new JsonSchema(OciSamples.runtimeSpec());
    for (Path sample : OciSamples.samples("state", "good")) {
      byte[] json = Files.readAllBytes(sample);
      Json written = State.read(json).toJson();
      assertThat(written).as(sample.toString()).isEqualTo(Json.parse(json));
      assertThat(schema.problems("state-schema.json", written)).isEmpty();
    }
    for (Path sample : OciSamples.samples("features", "good")) {
      byte[] json = Files.readAllBytes(sample);
      Json written = Features.read(json).toJson();
      assertThat(written).as(sample.toString()).isEqualTo(Json.parse(json));
      assertThat(schema.problems("features-schema.json", written)).isEmpty();
    }
    for (Path sample : OciSamples.samples("state", "bad")) {
      byte[] json = Files.readAllBytes(sample);
      assertThatThrownBy(() -> State.read(json)).isInstanceOf(SpecException.class);
    }
    for (Path sample : OciSamples.samples("features", "bad")) {
      byte[] json = Files.readAllBytes(sample);
      assertThatThrownBy(() -> Features.read(json))
          .isInstanceOf(SpecException.class)
          .hasMessage("features.json: /ociVersionMax: is required");
    }
  }

  @Test
  void aSampleTruncatedAnywhereIsRefusedAndNothingElse() throws IOException {
    byte[] json = OciSamplesTest.trimmed("spec-example.json");
    for (int length = 0; length < json.length; length++) {
      byte[] truncated = Arrays.copyOf(json, length);
      assertThatThrownBy(() -> Config.read(truncated))
          .as("truncated to " + length)
          .isInstanceOf(SpecException.class);
    }
  }

  static byte[] trimmed(String name) throws IOException {
    Path sample = OciSamples.runtimeSpec().resolve("test/config/good").resolve(name);
    return Files.readString(sample).strip().getBytes(StandardCharsets.UTF_8);
  }
}

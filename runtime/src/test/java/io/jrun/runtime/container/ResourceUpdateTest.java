package io.jrun.runtime.container;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.Json.JsonObject;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/// What a change leaves of the limits before it, and what is written.
class ResourceUpdateTest {
  private static ResourceUpdate of(String before, String given) {
    return ResourceUpdate.of((JsonObject) Json.parse(before), (JsonObject) Json.parse(given));
  }

  @Test
  void aTouchedGroupIsWrittenAsAWhole() {
    ResourceUpdate update =
        of(
            "{\"cpu\":{\"period\":50000,\"shares\":3},\"pids\":{\"limit\":5}}",
            "{\"cpu\":{\"quota\":1000}}");
    assertThat(Objects.requireNonNull(update.touched().cpu()).period()).isEqualTo(50000);
    assertThat(Objects.requireNonNull(update.touched().cpu()).quota()).isEqualTo(1000);
    assertThat(update.touched().pids()).isNull();
    assertThat(update.all().toText(""))
        .isEqualTo(
            "{\"cpu\":{\"period\":50000,\"shares\":3,\"quota\":1000},\"pids\":{\"limit\":5}}");
  }

  @Test
  void noMemoryLimitTakesTheSwapLimitAway() {
    ResourceUpdate update =
        of("{\"memory\":{\"limit\":10,\"swap\":20}}", "{\"memory\":{\"limit\":-1}}");
    assertThat(Objects.requireNonNull(update.touched().memory()).swap()).isZero();
  }

  @Test
  void devicesAreExchangedOneByOne() {
    ResourceUpdate update =
        of(
            "{\"blockIO\":{\"throttleReadBpsDevice\":[{\"major\":8,\"minor\":0,\"rate\":1},{\"major\":8,\"minor\":1,\"rate\":2}]}}",
            "{\"blockIO\":{\"throttleReadBpsDevice\":[{\"major\":8,\"minor\":0,\"rate\":9}]}}");
    assertThat(update.all().toText(""))
        .contains("\"rate\":9", "\"rate\":2")
        .doesNotContain("\"rate\":1");
  }

  @Test
  void unifiedFilesOfBeforeAreNotWrittenAgain() {
    ResourceUpdate update = of("{\"unified\":{\"a\":\"1\"}}", "{\"unified\":{\"b\":\"2\"}}");
    assertThat(update.touched().unified()).containsOnlyKeys("b");
  }
}

package io.jrun.runtime.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Sizes of `update` and durations of `events`.
class UpdateCommandTest {
  @ParameterizedTest
  @CsvSource({
    "-1,-1",
    "1024,1024",
    "64m,67108864",
    "64M,67108864",
    "64MB,67108864",
    "64MiB,67108864",
    "1.5g,1610612736",
    "2 k,2048",
    "10b,10"
  })
  void sizes(String text, long bytes) {
    assertThat(UpdateCommand.bytes("memory", text)).isEqualTo(bytes);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "m", "-2", "1x", "1mm"})
  void whatIsNoSizeIsNamed(String text) {
    assertThatThrownBy(() -> UpdateCommand.bytes("memory", text))
        .hasMessage("invalid value for memory: " + text);
  }

  @ParameterizedTest
  @CsvSource({"5s,5000", "1m30s,90000", "500ms,500", "1.5h,5400000", "10us,1", "0s,0"})
  void durations(String text, long millis) {
    assertThat(EventsCommand.millis(text)).isEqualTo(millis);
  }

  @Test
  void whatIsNoDurationIsNamed() {
    for (String text : new String[] {"", "5", "s", "5s5", "5 s", "-5s"})
      assertThatThrownBy(() -> EventsCommand.millis(text)).hasMessageContaining(text);
  }
}

package io.jrun.specs.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Instant;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class Rfc3339Test {
  private static final long YEAR_0 = Instant.parse("0000-01-01T00:00:00Z").getEpochSecond();
  private static final long YEAR_10000 = Instant.parse("+10000-01-01T00:00:00Z").getEpochSecond();

  @ParameterizedTest
  @ValueSource(
      strings = {
        "1970-01-01T00:00:00Z",
        "1969-12-31T23:59:59.999999999Z",
        "2000-02-29T12:00:00.5Z",
        "2100-03-01T00:00:00.000000001Z",
        "2026-11-30T11:36:26.12Z",
        "0000-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z"
      })
  void timesAreWrittenWithoutZerosAtTheEnd(String text) {
    assertThat(Rfc3339.parse(text)).isEqualTo(Instant.parse(text));
    assertThat(Rfc3339.format(Instant.parse(text))).isEqualTo(text);
  }

  @ParameterizedTest
  @ValueSource(strings = {"2026-11-30T11:36:26Z", "2026-11-30T11:36:26.12Z"})
  void aFixedOneHasAllDigits(String text) {
    String fixed = Rfc3339.fixed(Instant.parse(text));
    assertThat(fixed).hasSize("2026-11-30T11:36:26.123456789Z".length());
    assertThat(Rfc3339.parse(fixed)).isEqualTo(Instant.parse(text));
  }

  @Test
  void anyTimeOfFourDigitYearsIsWhatTheJdkSays() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    for (int i = 0; i < 100_000; i++) {
      Instant time =
          Instant.ofEpochSecond(
              random.nextLong(YEAR_0, YEAR_10000), random.nextInt(1_000_000) * 1000L);
      assertThat(Rfc3339.parse(time.toString())).as("seed %d", seed).isEqualTo(time);
      assertThat(Instant.parse(Rfc3339.format(time))).as("seed %d", seed).isEqualTo(time);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "now",
        "2026-11-30T11:36:26",
        "2026-11-30T11:36:26.Z",
        "2026-11-30T11:36:26.1234567890Z",
        "2026-11-30 11:36:26Z",
        "2026-13-30T11:36:26Z",
        "2026-02-29T11:36:26Z",
        "2026-11-00T11:36:26Z",
        "2026-11-30T24:36:26Z",
        "2026-11-30T11:36:2xZ",
        "2026-11-30T11:36:26+01:00"
      })
  void whatIsNoTimeInUtcIsRefused(String text) {
    assertThatThrownBy(() -> Rfc3339.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(text);
  }
}

package io.jrun.runtime.container;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrun.specs.runtime.IdMapping;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Who writes a user namespace's ids, and how.
class IdMapsTest {
  private static final List<IdMapping> TWO =
      List.of(IdMapping.of(0, 1000, 1), IdMapping.of(1, 4294900000L, 65536));

  @Test
  void aMapHasALinePerRange() {
    assertThat(IdMaps.text(TWO)).isEqualTo("0 1000 1\n1 4294900000 65536\n");
  }

  @Test
  void aToolIsToldThePidAndTheRanges() {
    assertThat(IdMaps.command("newuidmap", 77, TWO))
        .containsExactly("newuidmap", "77", "0", "1000", "1", "1", "4294900000", "65536");
  }

  @Test
  void aUserMayMapItselfAndNothingElse() {
    assertThat(IdMaps.isOwn(List.of(IdMapping.of(5, 1000, 1)), 1000)).isTrue();
    assertThat(IdMaps.isOwn(List.of(IdMapping.of(0, 1000, 2)), 1000)).isFalse();
    assertThat(IdMaps.isOwn(List.of(IdMapping.of(0, 1001, 1)), 1000)).isFalse();
    assertThat(IdMaps.isOwn(TWO, 1000)).isFalse();
    assertThat(IdMaps.isOwn(List.of(IdMapping.of(0, 4294967294L, 1)), -2)).isTrue();
  }
}

package io.jrun.runtime.mount;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrun.kernel.Batch;
import io.jrun.kernel.call.MountCall;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What each rootfsPropagation does before and after the root is exchanged.
class RootPropagationTest {
  private static List<String> after(String name) {
    Batch batch = new Batch();
    RootPropagation.of(name).addTo(batch);
    return batch.entries().stream().map(entry -> entry.call().text()).toList();
  }

  @Test
  void nothingSaidCutsTheHostOffOneWay() {
    RootPropagation none = RootPropagation.of(null);
    assertThat(none.ofHostRoot()).isEqualTo(MountCall.MS_SLAVE | MountCall.MS_REC);
    assertThat(none.leavesParentShared()).isFalse();
  }

  @ParameterizedTest
  @ValueSource(strings = {"private", "slave", "shared", "rshared", "unbindable", "runbindable"})
  void whatIsNotCutAsAWholeNeedsTheParentCut(String name) {
    assertThat(RootPropagation.of(name).leavesParentShared()).isTrue();
  }

  @ParameterizedTest
  @CsvSource({"slave,true", "shared,false", "private,false", "unbindable,false"})
  void theParentBecomesPrivateUnlessSlaveIsAsked(String name, boolean slave) {
    assertThat(RootPropagation.of(name).ofParent())
        .isEqualTo(slave ? MountCall.MS_SLAVE : MountCall.MS_PRIVATE);
  }

  @Test
  void theNewRootBecomesSharedOrUnbindableOnly() {
    assertThat(after("rshared"))
        .containsExactly("mount(\"\", \"/\", \"\", MS_REC|MS_SHARED, NULL)");
    assertThat(after("unbindable"))
        .containsExactly("mount(\"\", \"/\", \"\", MS_UNBINDABLE, NULL)");
    assertThat(after("rslave")).isEmpty();
    assertThat(after("private")).isEmpty();
  }
}

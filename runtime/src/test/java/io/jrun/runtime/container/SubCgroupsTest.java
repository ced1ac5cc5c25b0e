package io.jrun.runtime.container;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrun.runtime.cgroup.Hierarchies;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The directories that `exec --cgroup` names.
class SubCgroupsTest {
  private static final Hierarchies HYBRID =
      Hierarchies.parse(
          """
          30 20 0:30 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
          31 20 0:31 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids
          32 20 0:32 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
          """);
  private static final Map<String, String> OWN =
      Map.of("cpu", "/c/cpu/x", "pids", "/c/pids/x", "", "/c/unified/x");

  private static Map<String, String> of(String... asked) {
    return SubCgroups.of(OWN, HYBRID, List.of(asked));
  }

  @Test
  void aPathAloneIsBelowEveryV1Directory() {
    assertThat(of("/sub/"))
        .isEqualTo(Map.of("cpu", "/c/cpu/x/sub", "pids", "/c/pids/x/sub", "", "/c/unified/x"));
  }

  @Test
  void controllersAreFoundInTheirHierarchy() {
    assertThat(of("cpuacct:a/b", "pids:c"))
        .containsEntry("cpu", "/c/cpu/x/a/b")
        .containsEntry("pids", "/c/pids/x/c");
    assertThat(of("pids:/")).isEqualTo(OWN);
  }

  @ParameterizedTest
  @CsvSource({
    "memory:a,unknown controller memory",
    "pids:../y,bad sub cgroup path",
    "a/../../b,bad sub cgroup path",
    ":a,empty <controller> prefix"
  })
  void whatCannotBeIsRefused(String asked, String reason) {
    assertThatThrownBy(() -> of(asked)).hasMessageContaining(reason);
  }

  @Test
  void aControllerCountsOnceAndAPathAloneIsAlone() {
    assertThatThrownBy(() -> of("pids:a", "pids:b")).hasMessageContaining("multiple times");
    assertThatThrownBy(() -> of("a", "pids:b")).hasMessageContaining("missing <controller>:");
  }
}

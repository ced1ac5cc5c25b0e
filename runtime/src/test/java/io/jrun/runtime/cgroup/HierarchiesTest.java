package io.jrun.runtime.cgroup;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class HierarchiesTest {
  private static final String PIDS = line("/sys/fs/cgroup/pids", "pids");
  private static final String ELSEWHERE = line("/tmp/yard/hugetlb", "hugetlb");

  @Test
  void aMountOfSomeToolsOwnDoesNotCount() {
    assertThat(Hierarchies.parse(PIDS + ELSEWHERE).list())
        .extracting(Hierarchy::mountPoint)
        .containsExactly("/sys/fs/cgroup/pids");
  }

  @Test
  void whereNoneIsAtTheUsualPlaceTheOthersCount() {
    assertThat(Hierarchies.parse(ELSEWHERE).of("hugetlb").orElseThrow().mountPoint())
        .isEqualTo("/tmp/yard/hugetlb");
  }

  @Test
  void theMountBelowTheUsualPlaceIsPreferred() {
    assertThat(Hierarchies.parse(line("/tmp/yard/pids", "pids") + PIDS).list())
        .extracting(Hierarchy::mountPoint)
        .containsExactly("/sys/fs/cgroup/pids");
  }

  @Test
  void theTopIsWhatLiesOnTop() {
    String tmpfs = " 20 0:26 / /sys/fs/cgroup rw,relatime - tmpfs cgroup rw\n";
    assertThat(Hierarchies.parse("28" + tmpfs + PIDS).topMount()).isEqualTo(28);
    assertThat(Hierarchies.parse("28" + tmpfs + PIDS + "44" + tmpfs).topMount()).isEqualTo(44);
    assertThat(Hierarchies.parse(PIDS).topMount()).isZero();
  }

  private static String line(String mountPoint, String controller) {
    return "30 20 0:26 / " + mountPoint + " rw,relatime - cgroup cgroup rw," + controller + "\n";
  }
}

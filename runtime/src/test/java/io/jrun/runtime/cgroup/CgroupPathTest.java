package io.jrun.runtime.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class CgroupPathTest {
  private static final String OWN_V1 =
      "9:name=systemd:/user\n8:pids:/p\n7:blkio:/\n6:freezer:/\n5:devices:/\n4:memory:/m/n\n3:cpuset:/\n1:cpu,cpuacct:/c\n0::/u\n";

  @Test
  void hybridHasEveryV1HierarchyAndUnified() {
    Hierarchies hierarchies = Hierarchies.parse(Samples.HYBRID);
    assertThat(hierarchies.unified()).isFalse();
    assertThat(hierarchies.v1())
        .extracting(Hierarchy::key)
        .containsExactly(
            "cpu", "cpuset", "memory", "devices", "freezer", "blkio", "pids", "name=systemd");
    assertThat(hierarchies.v1().getFirst().controllers()).containsExactly("cpu", "cpuacct");
    assertThat(hierarchies.v2().orElseThrow().mountPoint()).isEqualTo("/sys/fs/cgroup/unified");
    assertThat(Hierarchies.parse(Samples.V2).unified()).isTrue();
  }

  @Test
  void absolutePathIsBelowTheMount() {
    assertThat(directories(Samples.HYBRID, "/a/../../b//c", "x", ""))
        .contains("/sys/fs/cgroup/cpu,cpuacct/b/c", "/sys/fs/cgroup/unified/b/c")
        .hasSize(9);
    assertThat(directories(Samples.V2, "/a/b", "x", "")).containsExactly("/sys/fs/cgroup/a/b");
  }

  @Test
  void relativeAndEmptyPathsAreBelowTheOwnCgroup() {
    assertThat(directories(Samples.HYBRID, "a/b", "x", OWN_V1))
        .contains(
            "/sys/fs/cgroup/cpu,cpuacct/c/a/b",
            "/sys/fs/cgroup/memory/m/n/a/b",
            "/sys/fs/cgroup/systemd/user/a/b",
            "/sys/fs/cgroup/unified/u/a/b");
    assertThat(directories(Samples.HYBRID, "", "x", OWN_V1))
        .contains("/sys/fs/cgroup/memory/m/n/x", "/sys/fs/cgroup/devices/x");
    assertThat(directories(Samples.HYBRID, "../../a", "x", OWN_V1))
        .contains("/sys/fs/cgroup/memory/m/n/a");
  }

  @Test
  void onV2TheyAreBesideTheOwnCgroup() {
    assertThat(directories(Samples.V2, "", "x", "0::/user.slice/me\n"))
        .containsExactly("/sys/fs/cgroup/user.slice/x");
    assertThat(directories(Samples.V2, "", "x", "0::/\n")).containsExactly("/sys/fs/cgroup/x");
  }

  @Test
  void theMountsRootIsLeftOut() {
    assertThat(directories(Samples.DOCKER_V1, "", "x", "4:memory:/docker/abc/inner\n"))
        .containsExactly("/sys/fs/cgroup/memory/inner/x");
    assertThat(directories(Samples.DOCKER_V1, "", "x", "4:memory:/docker/abc\n"))
        .containsExactly("/sys/fs/cgroup/memory/x");
    assertThat(directories(Samples.DOCKER_V1, "", "x", "4:memory:/docker/abcd\n"))
        .containsExactly("/sys/fs/cgroup/memory/x");
  }

  @Test
  void theRootCgroupIsRefused() {
    assertThatThrownBy(() -> directories(Samples.V2, "/", "x", "0::/\n"))
        .isInstanceOf(CgroupException.class);
  }

  private static List<String> directories(
      String mountinfo, String cgroupsPath, String id, String own) {
    return List.copyOf(CgroupPath.of(Hierarchies.parse(mountinfo), cgroupsPath, id, own).values());
  }
}

package io.jrun.runtime.mount;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

/// Which of the host's mounts must go before a root is moved over them.
class MovedRootTest {
  private static final List<Mountinfo.Entry> MOUNTS =
      Mountinfo.parse(
          """
          20 1 0:19 / / rw - rootfs rootfs rw
          21 20 0:20 / /proc rw,nosuid shared:5 - proc proc rw
          22 20 0:21 / /sys rw - sysfs sysfs rw
          23 22 0:22 / /sys/fs/cgroup rw - tmpfs tmpfs rw
          24 20 0:20 /sys /part\\040of rw - proc proc rw
          25 20 0:20 / /b/rootfs/proc rw - proc proc rw
          26 20 8:1 / /b rw shared:1 - ext4 /dev/sda rw
          """);

  @Test
  void wholeProcAndSysOutsideOfTheRootGo() {
    assertThat(MovedRoot.hostPseudoFileSystems(MOUNTS, "/b/rootfs"))
        .containsExactly("/proc", "/sys");
  }

  @Test
  void escapesAndSharingAreRead() {
    assertThat(MOUNTS.get(4).mountPoint()).isEqualTo("/part of");
    assertThat(MOUNTS.get(4).root()).isEqualTo("/sys");
    assertThat(MOUNTS.stream().filter(Mountinfo.Entry::shared).map(Mountinfo.Entry::mountPoint))
        .containsExactly("/proc", "/b");
  }

  @Test
  void theInnermostMountPointContainsAPath() {
    assertThat(Mountinfo.containing(MOUNTS, "/b/rootfs")).isEqualTo("/b");
    assertThat(Mountinfo.containing(MOUNTS, "/bc")).isEqualTo("/");
    assertThat(Mountinfo.containing(MOUNTS, "/sys/fs/cgroup")).isEqualTo("/sys/fs/cgroup");
  }
}

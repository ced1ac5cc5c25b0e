package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;

/// `--systemd-cgroup` on cgroup v1: the scope is in the hierarchies that systemd has, and jrun
/// makes the same path in the others.
@EnabledIf(
    value = "isPossible",
    disabledReason = "needs systemd as PID 1 and cgroup v1 (make vm-test CGROUP=1)")
class SystemdV1IT extends SystemdTest {
  static boolean isPossible() {
    return isSystemd() && !CgroupHierarchies.isV2Alone();
  }

  private Path cgroup(String controller) {
    return Path.of("/sys/fs/cgroup", controller, "system.slice", unit());
  }

  private String file(String controller, String name) throws IOException {
    return Files.readString(cgroup(controller).resolve(name)).strip();
  }

  @Override
  boolean isFrozen() throws IOException {
    return file("freezer", "freezer.state").equals("FROZEN");
  }

  private static List<String> pathsOf(long pid) throws IOException {
    return Files.readAllLines(Path.of("/proc/" + pid + "/cgroup")).stream()
        .filter(line -> !line.startsWith("0::"))
        .map(line -> line.split(":", 3)[2])
        .distinct()
        .toList();
  }

  @Test
  void aContainerIsAScopeWithItsLimitsInEveryHierarchyUntilItIsDeleted() throws IOException {
    config.set(
        "/linux/resources",
        "{memory:{limit:67108864,reservation:33554432},"
            + "cpu:{shares:512,quota:25000,period:50000,cpus:'0',mems:'0'},pids:{limit:42}}");
    long pid = startScope();
    assertThat(pathsOf(pid)).containsExactly("/system.slice/" + unit());
    assertThat(show(unit()))
        .containsEntry("ActiveState", "active")
        .containsEntry("Slice", "system.slice")
        .containsEntry("Delegate", "yes")
        .containsEntry("MemoryLimit", "67108864")
        .containsEntry("CPUShares", "512")
        .containsEntry("CPUQuotaPerSecUSec", "500ms")
        .containsEntry("TasksMax", "42");
    assertThat(file("memory", "memory.limit_in_bytes")).isEqualTo("67108864");
    assertThat(file("memory", "memory.soft_limit_in_bytes")).isEqualTo("33554432");
    assertThat(file("cpu", "cpu.shares")).isEqualTo("512");
    assertThat(file("cpu", "cpu.cfs_quota_us")).isEqualTo("25000");
    assertThat(file("cpu", "cpu.cfs_period_us")).isEqualTo("50000");
    assertThat(file("cpuset", "cpuset.cpus")).isEqualTo("0");
    assertThat(file("pids", "pids.max")).isEqualTo("42");
    systemd("exec", "-d", id, "sleep", "999").succeeds();
    for (String controller : List.of("systemd", "pids", "memory", "cpuset", "freezer"))
      assertThat(file(controller, "cgroup.procs").lines())
          .as(controller)
          .hasSize(2)
          .contains(Long.toString(pid));
    killAndDelete();
    assertThat(cgroups()).isEmpty();
    assertThat(show(unit())).containsEntry("LoadState", "not-found");
  }

  @Test
  void updateChangesTheUnitAndTheFilesAndBothOutliveAReload() throws IOException {
    config.set("/linux/resources", "{memory:{limit:67108864}}");
    startScope();
    systemd("update", "--memory", "50331648", "--pids-limit", "33", "--cpu-share", "2048", id)
        .succeeds();
    reload();
    assertThat(show(unit()))
        .containsEntry("MemoryLimit", "50331648")
        .containsEntry("TasksMax", "33")
        .containsEntry("CPUShares", "2048");
    assertThat(file("memory", "memory.limit_in_bytes")).isEqualTo("50331648");
    assertThat(file("pids", "pids.max")).isEqualTo("33");
    assertThat(file("cpu", "cpu.shares")).isEqualTo("2048");
    killAndDelete();
  }
}

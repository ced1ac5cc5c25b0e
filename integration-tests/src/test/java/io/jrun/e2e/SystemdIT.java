package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;

/// `--systemd-cgroup` on cgroup v2.
@Tag("vm")
@EnabledIf(
    value = "isPossible",
    disabledReason = "needs systemd as PID 1 and cgroup v2 alone (make vm-test)")
class SystemdIT extends SystemdTest {
  static boolean isPossible() {
    return isSystemd() && CgroupHierarchies.isV2Alone();
  }

  private Path cgroup() {
    return Path.of("/sys/fs/cgroup/system.slice", unit());
  }

  private String file(String name) throws IOException {
    return Files.readString(cgroup().resolve(name)).strip();
  }

  @Override
  boolean isFrozen() throws IOException {
    return file("cgroup.events").contains("frozen 1");
  }

  @Test
  void aContainerIsAScopeWithItsLimitsUntilItIsDeleted() throws IOException {
    config.set(
        "/linux/resources",
        "{memory:{limit:67108864,reservation:33554432,swap:100663296},"
            + "cpu:{shares:512,quota:25000,period:50000,cpus:'0',mems:'0'},pids:{limit:42},blockIO:{weight:500},"
            + "hugepageLimits:[{pageSize:'2MB',limit:4194304}]}");
    long pid = startScope();
    assertThat(Files.readString(Path.of("/proc/" + pid + "/cgroup")).strip())
        .isEqualTo("0::/system.slice/" + unit());
    assertThat(execSh("cat /proc/self/cgroup").succeeds().text())
        .as("from inside")
        .isEqualTo("0::/");
    assertThat(show(unit()))
        .containsEntry("ActiveState", "active")
        .containsEntry("Slice", "system.slice")
        .containsEntry("Delegate", "yes")
        .containsEntry("Description", "jrun container " + id)
        .containsEntry("MemoryMax", "67108864")
        .containsEntry("MemoryLow", "33554432")
        .containsEntry("MemorySwapMax", "33554432")
        .containsEntry("CPUWeight", "59")
        .containsEntry("CPUQuotaPerSecUSec", "500ms")
        .containsEntry("CPUQuotaPeriodUSec", "50ms")
        .containsEntry("AllowedCPUs", "0")
        .containsEntry("AllowedMemoryNodes", "0")
        .containsEntry("TasksMax", "42")
        .containsEntry("DevicePolicy", "strict");
    assertThat(file("memory.max")).isEqualTo("67108864");
    assertThat(file("memory.low")).isEqualTo("33554432");
    assertThat(file("cpu.weight")).isEqualTo("59");
    assertThat(file("cpu.max")).isEqualTo("25000 50000");
    assertThat(file("cpuset.cpus")).isEqualTo("0");
    assertThat(file("pids.max")).isEqualTo("42");
    assertThat(file("hugetlb.2MB.max")).isEqualTo("4194304");
    systemd("exec", "-d", id, "sleep", "999").succeeds();
    assertThat(file("cgroup.procs").lines()).hasSize(2).contains(Long.toString(pid));
    killAndDelete();
    assertThat(cgroup()).doesNotExist();
    assertThat(show(unit())).containsEntry("LoadState", "not-found");
  }

  @Test
  void withoutACgroupsPathTheScopeIsNamedByTheId() throws IOException {
    config.remove("/linux", "cgroupsPath");
    long pid = startScope();
    assertThat(Files.readString(Path.of("/proc/" + pid + "/cgroup")))
        .contains("/system.slice/jrun-" + id + ".scope");
    killAndDelete();
  }

  @Test
  void slicesOfDashesLieInEachOther() throws IOException {
    String slice = "jrun" + tag.replace("-", "");
    config.setText("/linux/cgroupsPath", slice + "-inner.slice:" + tag + ":c");
    long pid = startScope();
    assertThat(Files.readString(Path.of("/proc/" + pid + "/cgroup")).strip())
        .isEqualTo("0::/" + slice + ".slice/" + slice + "-inner.slice/" + unit());
    killAndDelete();
    Command.of("systemctl", "stop", slice + ".slice").run();
    config.setText("/linux/cgroupsPath", "-.slice:" + tag + ":c");
    pid = startScope();
    assertThat(Files.readString(Path.of("/proc/" + pid + "/cgroup")).strip())
        .isEqualTo("0::/" + unit());
    killAndDelete();
  }

  @Test
  void annotationsArePropertiesOfTheScope() throws IOException {
    config
        .setText("/annotations/org.systemd.property.TimeoutStopSec", "123.0")
        .setText("/annotations/org.systemd.property.CollectMode", "'inactive-or-failed'")
        .setText("/annotations/org.systemd.property.After", "['basic.target', 'dbus.service']")
        .setText("/annotations/org.systemd.property.MemoryHigh", "uint64 50331648")
        .setText("/annotations/org.systemd.property.Description", "\"mine\"");
    startScope();
    assertThat(show(unit()))
        .containsEntry("TimeoutStopUSec", "2min 3s")
        .containsEntry("CollectMode", "inactive-or-failed")
        .containsEntry("MemoryHigh", "50331648")
        .containsEntry("Description", "mine")
        .hasEntrySatisfying(
            "After", after -> assertThat(after).contains("basic.target", "dbus.service"));
    killAndDelete();
  }

  @Test
  void updateChangesTheUnitAndTheFiles() throws IOException {
    startScope();
    systemd(
            "update",
            "--memory",
            "50331648",
            "--pids-limit",
            "33",
            "--cpu-share",
            "2048",
            "--cpu-quota",
            "20000",
            "--cpuset-cpus",
            "0",
            id)
        .succeeds();
    assertThat(show(unit()))
        .containsEntry("MemoryMax", "50331648")
        .containsEntry("TasksMax", "33")
        .containsEntry("CPUWeight", "174")
        .containsEntry("CPUQuotaPerSecUSec", "200ms")
        .containsEntry("AllowedCPUs", "0");
    assertThat(file("memory.max")).isEqualTo("50331648");
    assertThat(file("pids.max")).isEqualTo("33");
    assertThat(file("cpu.max")).isEqualTo("20000 100000");
    killAndDelete();
  }

  @Test
  void limitsOutliveAReload() throws IOException {
    config.set("/linux/resources", "{memory:{limit:67108864},pids:{limit:42},cpu:{shares:512}}");
    startScope();
    reload();
    assertThat(file("memory.max")).isEqualTo("67108864");
    assertThat(file("pids.max")).isEqualTo("42");
    killAndDelete();
  }

  @Test
  void anotherEngineKnowsTheScope() throws IOException {
    startScope();
    command("delete", "--force", id).with("JRUN_ENGINE", "off").run().succeeds();
    assertThat(cgroup()).doesNotExist();
  }

  @Test
  void inAUserNamespaceToo() throws IOException {
    config
        .set("/linux/namespaces/-", "{type:'user'}")
        .set("/linux/uidMappings", "[{containerID:0,hostID:0,size:65536}]")
        .set("/linux/gidMappings", "[{containerID:0,hostID:0,size:65536}]")
        .set("/linux/resources", "{pids:{limit:21}}");
    long pid = startScope();
    assertThat(Files.readString(Path.of("/proc/" + pid + "/cgroup")).strip())
        .isEqualTo("0::/system.slice/" + unit());
    assertThat(file("pids.max")).isEqualTo("21");
    systemd("exec", "-d", id, "sleep", "999").succeeds();
    assertThat(file("cgroup.procs").lines()).hasSize(2);
    killAndDelete();
  }

  @Test
  void whatIsWrongIsNamedAndLeavesNothing() throws IOException {
    for (String path : List.of("/a/b", "a.slice:b", "a.slice:b:c:d")) {
      config.setText("/linux/cgroupsPath", path);
      assertThat(createScope().fails().err()).contains("slice:prefix:name");
    }
    for (String slice : List.of("system", "a/b.slice", "a--b.slice", "-a.slice")) {
      config.setText("/linux/cgroupsPath", slice + ":" + tag + ":c");
      assertThat(createScope().fails().err()).contains("invalid slice name");
    }
    config.setText("/linux/cgroupsPath", "system.slice:" + tag + ":c");
    config.setText("/annotations/org.systemd.property.MemoryHigh", "uint64");
    assertThat(createScope().fails().err()).contains("org.systemd.property.MemoryHigh");
    config.setText("/annotations/org.systemd.property.MemoryHigh", "'much'");
    assertThat(createScope().fails().err()).contains(unit());
    config.remove("/annotations", "org.systemd.property.MemoryHigh");
    config.setText("/annotations/org.systemd.property.NoSuchThing", "1");
    assertThat(createScope().fails().err()).contains("NoSuchThing");
    config.remove("/annotations", "org.systemd.property.NoSuchThing");
    config.set("/linux/resources", "{cpu:{cpus:'4000'}}");
    createScope().fails();
    assertThat(ids()).isEmpty();
    assertThat(cgroups()).isEmpty();
  }

  @Test
  void aUnitOfThatNameIsLeftAlone() throws IOException {
    Command.of(
            "systemd-run", "--scope", "--unit=" + unit(), "--slice=system.slice", "sleep", "1000")
        .start();
    assertThat(eventually(() -> Files.isDirectory(cgroup()))).isTrue();
    assertThat(createScope().fails().err()).contains(unit());
    assertThat(cgroup()).isDirectory();
    Command.of("systemctl", "kill", "--signal=KILL", unit()).run().succeeds();
    assertThat(eventually(() -> !Files.exists(cgroup()))).isTrue();
  }

  @Test
  void aContainerWhoseInitEndedIsDeletedWithItsUnit() throws IOException {
    startScope();
    runtime("kill", id, "KILL").succeeds();
    awaitStatus("stopped");
    assertThat(eventually(() -> !Files.exists(cgroup())))
        .isTrue(); // systemd ends an empty scope by itself
    systemd("delete", id).succeeds();
  }
}

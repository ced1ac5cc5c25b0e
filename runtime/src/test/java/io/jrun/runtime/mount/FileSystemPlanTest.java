package io.jrun.runtime.mount;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrun.kernel.Batch;
import io.jrun.kernel.call.Descriptor;
import io.jrun.runtime.Golden;
import io.jrun.specs.json.Json;
import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.DefaultConfig;
import io.jrun.specs.runtime.Device;
import io.jrun.specs.runtime.Linux;
import io.jrun.specs.runtime.Mount;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The calls that build a container's file system view, compared with files under `golden/mount`.
class FileSystemPlanTest {
  private static final Json.JsonObject NOTHING = Json.JsonObject.EMPTY;
  private static final Config CONFIG = DefaultConfig.create(false, 0, 0);
  private static final Descriptor ROOT = new Descriptor.Known(9);
  private static final List<CgroupMount.View> V1 =
      List.of(
          new CgroupMount.View(
              "cpu,cpuacct", List.of("cpu", "cpuacct"), "/sys/fs/cgroup/cpu,cpuacct/c1"),
          new CgroupMount.View("systemd", List.of("name=systemd"), "/sys/fs/cgroup/systemd/c1"));
  private static final List<CgroupMount.View> V2 =
      List.of(new CgroupMount.View("cgroup", List.of(), "/sys/fs/cgroup/c1"));

  private final Batch batch = new Batch();
  private final MountPlan plan = new MountPlan(batch, ROOT, null);

  private void assertGolden(String name) {
    Golden.assertCalls(batch, "mount/" + name + ".txt");
  }

  private static Mount mount(String destination, String type, String source, String... options) {
    return new Mount(destination, type, source, List.of(options), List.of(), List.of(), NOTHING);
  }

  private static Mount cgroupMount() {
    return CONFIG.mounts().getLast();
  }

  private void cgroup(CgroupMount cgroup) {
    cgroup.add(batch, ROOT, null, cgroupMount());
  }

  @Test
  void whatIsMountedAnewHasTheMountLabel() {
    String label = "system_u:object_r:container_file_t:s0:c1,c2";
    MountPlan labelled = new MountPlan(batch, ROOT, label);
    for (Mount mount : CONFIG.mounts()) {
      if (!"cgroup".equals(mount.type())) labelled.mount(mount, true);
    }
    labelled.mount(mount("/data", "bind", "/srv", "bind"), true);
    MaskedPaths.add(batch, ROOT, label, List.of("/proc/acpi"));
    assertGolden("mount-label");
  }

  @Test
  void theDefaultMountsInTheirOrder() {
    RootFileSystem.hostRoot(batch, RootPropagation.of(null).ofHostRoot());
    Descriptor tree = RootFileSystem.bound(batch, "/bundle/rootfs");
    MountPlan onTree = new MountPlan(batch, tree, null);
    for (Mount mount : CONFIG.mounts()) {
      if (!"cgroup".equals(mount.type())) onTree.mount(mount, true);
    }
    assertGolden("default-mounts");
  }

  @Test
  void bindMounts() {
    plan.mount(mount("/data", "bind", "/host/data", "rbind", "ro", "nosuid", "rprivate"), true);
    plan.mount(mount("/etc/hosts", "bind", "/host/hosts", "bind"), false);
    plan.mount(mount("/tree", "none", "/host/tree", "rbind", "rro", "rnoatime"), true);
    assertGolden("bind-mounts");
  }

  @Test
  void cgroupsOfAJoinedNamespaceAreMounted() {
    cgroup(new CgroupMount(false, CgroupMount.Namespace.JOINED, false, V1));
    assertGolden("cgroup-v1-namespace");
  }

  @Test
  void cgroupsOfTheHostsNamespaceAreBound() {
    cgroup(new CgroupMount(false, CgroupMount.Namespace.CALLERS, false, V1));
    assertGolden("cgroup-v1-bound");
  }

  @Test
  void cgroupsOfTheContainersOwnNamespaceAreBound() {
    cgroup(new CgroupMount(false, CgroupMount.Namespace.OWN, false, V1));
    assertGolden("cgroup-v1-bound");
  }

  @Test
  void unifiedCgroupsInTheirOwnNamespace() {
    cgroup(new CgroupMount(true, CgroupMount.Namespace.OWN, true, V2));
    assertGolden("cgroup-v2-namespace");
  }

  @Test
  void unifiedCgroupsOfTheHostsNamespace() {
    cgroup(new CgroupMount(true, CgroupMount.Namespace.CALLERS, false, V2));
    assertGolden("cgroup-v2-namespace");
  }

  @Test
  void unifiedCgroupsOfTheHostsNamespaceAreBoundInAUserNamespace() {
    cgroup(new CgroupMount(true, CgroupMount.Namespace.CALLERS, true, V2));
    assertGolden("cgroup-v2-bound");
  }

  @Test
  void theDefaultDevicesAndThoseOfTheSpec() {
    Linux linux =
        CONFIG
            .linux()
            .withDevices(
                List.of(
                    new Device("c", "/dev/fuse", 10, 229, 0600L, 1000L, 1000L, NOTHING),
                    new Device("b", "/dev/disk/big", 259, 300, null, null, null, NOTHING),
                    new Device("p", "/run/fifo", 0, 0, 0644L, null, null, NOTHING)));
    new DevicePlan(batch, ROOT).devices(linux.devices(), false);
    assertGolden("devices");
  }

  @Test
  void devicesAreBoundInAUserNamespace() {
    new DevicePlan(batch, ROOT).devices(CONFIG.linux().devices(), true);
    assertGolden("devices-userns");
  }

  @Test
  void theDefaultMasksAndReadonlyPaths() {
    ReadonlyPaths.add(batch, ROOT, CONFIG.linux().readonlyPaths());
    MaskedPaths.add(batch, ROOT, null, List.of("/proc/acpi", "/proc/kcore"));
    RootFileSystem.readonly(batch, ROOT);
    assertGolden("covers");
  }

  @Test
  void pivotConsoleAndWorkingDirectory() {
    RootFileSystem.workingDirectory(batch, ROOT, "/a/./b/../c");
    RootFileSystem.workingDirectory(batch, ROOT, "/");
    new DevicePlan(batch, ROOT).console(new Descriptor.Known(5));
    RootFileSystem.pivot(batch, ROOT);
    assertGolden("pivot");
  }

  @Test
  void everyDescriptorOfTheDefaultMountsButTheRootIsClosed() {
    for (Mount mount : CONFIG.mounts()) if (!"cgroup".equals(mount.type())) plan.mount(mount, true);
    List<String> calls = batch.entries().stream().map(entry -> entry.call().text()).toList();
    for (int i = 0; i < calls.size(); i++) {
      if (calls.get(i).startsWith("fsopen(") || calls.get(i).startsWith("fsmount("))
        assertThat(calls).contains("close(#" + i + ")");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"/proc/sys", "/proc/self", "/proc/../proc/1/attr", "proc/acpi"})
  void nothingIsMountedInsideProc(String destination) {
    assertThatThrownBy(() -> plan.mount(mount(destination, "bind", "/x"), true))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("is inside /proc: not allowed");
    assertThat(batch.entries()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"/proc/meminfo", "/proc/sys/kernel/ns_last_pid", "/process"})
  void whatLxcfsCoversMayBeMounted(String destination) {
    plan.mount(mount(destination, "bind", "/x"), false);
    assertThat(batch.entries()).isNotEmpty();
  }

  @Test
  void theRootItselfIsNoTarget() {
    assertThatThrownBy(() -> plan.mount(mount("/a/..", "bind", "/x"), true))
        .hasMessageContaining("is the root itself");
    assertThatThrownBy(() -> plan.mount(mount("/proc", "tmpfs", "tmpfs"), true))
        .hasMessageContaining("not allowed");
  }

  @Test
  void deviceNumbersAreEncodedAsMakedevDoes() {
    assertThat(DevicePlan.makedev(1, 3)).isEqualTo(0x103);
    assertThat(DevicePlan.makedev(259, 300)).isEqualTo(0x11032cL);
    assertThat(DevicePlan.makedev(10, 229)).isEqualTo(0xae5);
  }

  @Test
  void dotDotNeverLeadsAboveTheRoot() {
    assertThat(InRoot.components("/../../etc/./../a//b/")).containsExactly("a", "b");
    assertThat(InRoot.relative("/..")).isEqualTo(".");
  }
}

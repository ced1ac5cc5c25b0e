package io.jrun.runtime.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.HostCall;
import io.jrun.kernel.host.HostKernel;
import io.jrun.specs.runtime.Resources;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;

class CgroupIT {
  private final String id = "jrun-it-" + ProcessHandle.current().pid();
  private final HostKernel kernel = new HostKernel();

  @BeforeEach
  void root() {
    // systemd mounts what holds the hierarchies of v1 read-only
    assumeTrue(
        (Files.isWritable(Path.of("/sys/fs/cgroup"))
                || Files.isWritable(Path.of("/sys/fs/cgroup/pids")))
            && "root".equals(System.getProperty("user.name")),
        "needs root and writable cgroups");
  }

  @Test
  void theV2DirectoryIsGivenToAUserWithItsFilesForThat() throws Exception {
    try (Cgroups cgroups = new Cgroups(kernel)) {
      assumeTrue(cgroups.hierarchies().v2().isPresent(), "needs cgroup v2");
      Cgroup cgroup = cgroups.create("/jrun-it/" + id + "-own", id, own(), null);
      try {
        Path v2 = Path.of(java.util.Objects.requireNonNull(cgroup.birthplace()));
        cgroup.giveTo(4321);
        assertThat(Files.getAttribute(v2, "unix:uid")).isEqualTo(4321);
        for (String file : List.of("cgroup.procs", "cgroup.subtree_control", "cgroup.threads"))
          assertThat(Files.getAttribute(v2.resolve(file), "unix:uid")).as(file).isEqualTo(4321);
        for (String file : List.of("cgroup.events", "cgroup.controllers"))
          assertThat(Files.getAttribute(v2.resolve(file), "unix:uid")).as(file).isEqualTo(0);
        for (String path : cgroup.paths().values())
          if (!path.equals(v2.toString()))
            assertThat(Files.getAttribute(Path.of(path), "unix:uid")).as(path).isEqualTo(0);
      } finally {
        cgroup.remove();
      }
    }
  }

  @RepeatedTest(2)
  void aCgroupLivesAndLeavesNothing() throws Exception {
    try (Cgroups cgroups = new Cgroups(kernel)) {
      assumeTrue(!cgroups.hierarchies().unified(), "reads v1 files");
      Cgroup made =
          cgroups.create(
              "/jrun-it/" + id,
              id,
              own(),
              resources(
                  "{\"memory\":{\"limit\":67108864},\"cpu\":{\"shares\":512,\"quota\":50000,\"burst\":1000},\"pids\":{\"limit\":12}}"));
      Cgroup cgroup = cgroups.open(made.paths());
      Process sleep = new ProcessBuilder("sleep", "1000").start();
      try {
        assertThat(read(cgroup, "memory", "memory.limit_in_bytes")).isEqualTo("67108864");
        assertThat(read(cgroup, "cpu", "cpu.shares")).isEqualTo("512");
        assertThat(read(cgroup, "cpu", "cpu.cfs_quota_us")).isEqualTo("50000");
        assertThat(read(cgroup, "pids", "pids.max")).isEqualTo("12");
        assertThat(read(cgroup, "devices", "devices.list"))
            .contains("c 1:3 rwm", "c 136:* rwm")
            .doesNotContain("a *:*");
        assertThat(read(cgroup, "cpuset", "cpuset.cpus")).isNotEmpty();
        cgroup.add((int) sleep.pid());
        assertThat(cgroup.pids()).containsExactly((int) sleep.pid());
        for (String path : cgroup.paths().values())
          assertThat(Path.of(path, "cgroup.procs")).hasContent(Long.toString(sleep.pid()));
        assertThatThrownBy(() -> cgroups.create("/jrun-it/" + id, id, own(), null))
            .hasMessage("container's cgroup is not empty: 1 process(es) found");
        cgroup.freeze();
        assertThat(cgroup.frozen()).isTrue();
        cgroup.signal(10);
        assertThat(cgroup.frozen()).isTrue();
        cgroup.thaw();
        assertThat(sleep.waitFor()).isEqualTo(128 + 10);
        Process second = new ProcessBuilder("sleep", "1000").start();
        cgroup.add((int) second.pid());
        cgroup.apply(
            resources(
                "{\"memory\":{\"limit\":33554432,\"swap\":67108864},\"cpu\":{\"quota\":20000,\"burst\":0}}"));
        cgroup.apply(
            resources(
                "{\"memory\":{\"limit\":134217728,\"swap\":268435456},\"cpu\":{\"quota\":80000,\"burst\":60000}}"));
        assertThat(read(cgroup, "memory", "memory.memsw.limit_in_bytes")).isEqualTo("268435456");
        assertThat(read(cgroup, "cpu", "cpu.cfs_burst_us")).isEqualTo("60000");
        Files.createDirectory(Path.of(cgroup.paths().get("memory"), "inner"));
        cgroup.signal(9);
        cgroup.remove();
        assertThat(second.waitFor()).isEqualTo(128 + 9);
      } finally {
        sleep.destroyForcibly();
        cgroup.remove();
      }
      nothingLeft(cgroup.paths());
      removeParents(cgroup.paths());
    }
  }

  @Test
  void aFailedCreateLeavesNothing() throws Exception {
    try (Cgroups cgroups = new Cgroups(kernel)) {
      assumeTrue(!cgroups.hierarchies().unified(), "writes v1 files");
      assertThatThrownBy(() ->
              cgroups.create(
                  "/jrun-it-failed/" + id, id, own(), resources("{\"cpu\":{\"cpus\":\"9999\"}}")))
          .isInstanceOf(CgroupException.class)
          .hasMessageContaining("cpuset.cpus");
      for (Hierarchy hierarchy : cgroups.hierarchies().list())
        assertThat(Path.of(hierarchy.mountPoint(), "jrun-it-failed")).doesNotExist();
    }
  }

  /// On a hybrid machine: `unshare -m`, then `umount -l /sys/fs/cgroup` and `mount -t cgroup2 none
  /// /sys/fs/cgroup` before the JVM.
  @RepeatedTest(2)
  void aCgroupLivesAndLeavesNothingOnV2() throws Exception {
    try (Cgroups cgroups = new Cgroups(kernel)) {
      assumeTrue(cgroups.hierarchies().unified(), "needs a machine with only cgroup v2");
      Cgroup cgroup = cgroups.create("/jrun-it/" + id, id, own(), null);
      Process sleep = new ProcessBuilder("sleep", "1000").start();
      try {
        cgroup.add((int) sleep.pid());
        assertThat(cgroup.pids()).containsExactly((int) sleep.pid());
        cgroup.freeze();
        assertThat(cgroup.frozen()).isTrue();
        cgroup.thaw();
        cgroup.signal(0);
        assertThat(cgroup.frozen()).isFalse();
        cgroup.signal(9);
        cgroup.remove();
        assertThat(sleep.waitFor()).isEqualTo(128 + 9);
      } finally {
        sleep.destroyForcibly();
        cgroup.remove();
      }
      nothingLeft(cgroup.paths());
      removeParents(cgroup.paths());
    }
  }

  @Test
  void whicheverCallOfCreateFailsNothingIsLeft() throws Exception {
    String path = "/jrun-it-sweep-" + id;
    for (int n = 0; ; n++) {
      FailingKernel failing = new FailingKernel(kernel, n);
      try (Cgroups cgroups = new Cgroups(failing)) {
        Map<String, String> paths = cgroups.create(path + "/x", id, own(), null).paths();
        boolean passed = failing.passed();
        try (Cgroups whole = new Cgroups(kernel)) {
          whole.open(paths).remove();
        }
        removeParents(paths);
        if (passed) return;
      } catch (CgroupException | KernelException e) {
        assertThat(e).hasMessageContaining("EIO");
        for (Hierarchy hierarchy :
            Hierarchies.parse(Files.readString(Path.of("/proc/self/mountinfo"))).list()) {
          assertThat(Path.of(hierarchy.mountPoint() + path))
              .as("after call %d failed", n)
              .doesNotExist();
        }
      }
    }
  }

  /// Refuses the n-th call with EIO.
  private static final class FailingKernel implements Kernel {
    private final Kernel kernel;
    private int left;

    FailingKernel(Kernel kernel, int n) {
      this.kernel = kernel;
      this.left = n;
    }

    boolean passed() {
      return left >= 0;
    }

    @Override
    public <R> R call(HostCall<R> call) {
      if (left-- == 0) throw new KernelException(call, Errno.EIO);
      return kernel.call(call);
    }
  }

  @Test
  void hierarchiesAreCachedUntilSomethingIsMounted() {
    try (Cgroups cgroups = new Cgroups(kernel)) {
      Hierarchies first = cgroups.hierarchies();
      assertThat(cgroups.hierarchies().list()).isEqualTo(first.list());
    }
  }

  /// Loading is the kernel's own proof of the program; the directory is any of v2, and empty.
  @Test
  void theKernelAcceptsTheDeviceProgram() throws Exception {
    try (Cgroups cgroups = new Cgroups(kernel)) {
      Hierarchy v2 = cgroups.hierarchies().v2().orElse(null);
      assumeTrue(v2 != null, "needs a cgroup2 mount");
      String directory = v2.mountPoint() + "/" + id + "-bpf";
      Files.createDirectory(Path.of(directory));
      Cgroup cgroup = cgroups.open(Map.of("", directory));
      try {
        for (String devices :
            List.of(
                "[]",
                "[{\"allow\":true}]",
                "[{\"allow\":true},{\"allow\":false,\"type\":\"b\",\"major\":8,\"access\":\"w\"}]")) {
          cgroup.attach(DeviceProgram.of(resources("{\"devices\":" + devices + "}").devices()));
        }
      } finally {
        cgroup.remove();
      }
      assertThat(Path.of(directory)).doesNotExist();
    }
  }

  private static void nothingLeft(Map<String, String> paths) {
    for (String path : paths.values()) assertThat(Path.of(path)).doesNotExist();
  }

  private static void removeParents(Map<String, String> paths) throws Exception {
    for (String path : paths.values()) Files.deleteIfExists(Path.of(path).getParent());
  }

  private static String read(Cgroup cgroup, String key, String file) throws Exception {
    return Files.readString(Path.of(cgroup.paths().get(key), file)).strip();
  }

  private static String own() throws Exception {
    return Files.readString(Path.of("/proc/self/cgroup"));
  }

  private static Resources resources(String json) {
    return Resources.read(json.getBytes(StandardCharsets.UTF_8));
  }
}

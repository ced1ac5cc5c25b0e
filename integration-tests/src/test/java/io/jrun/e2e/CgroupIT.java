package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Limits, as the files of cgroup v1 show them.
class CgroupIT extends EndToEnd {

  @BeforeEach
  void needsV1() {
    assumeTrue(
        Files.exists(Path.of("/sys/fs/cgroup/memory/memory.limit_in_bytes")),
        "needs cgroup v1 controllers");
  }

  private String read(String controller, String file) throws IOException {
    Path hierarchy = CgroupHierarchies.ofV1(controller);
    Path directory =
        cgroups().stream()
            .filter(path -> path.startsWith(hierarchy))
            .findFirst()
            .orElseThrow(
                () -> new AssertionError("no cgroup of the container under " + controller));
    return Files.readString(directory.resolve(file)).strip();
  }

  @Test
  void memory() throws IOException {
    config.set("/linux/resources/memory", "{limit:67108864,reservation:33554432,swappiness:10}");
    create();
    assertThat(read("memory", "memory.limit_in_bytes")).isEqualTo("67108864");
    assertThat(read("memory", "memory.soft_limit_in_bytes")).isEqualTo("33554432");
    assertThat(read("memory", "memory.swappiness")).isEqualTo("10");
  }

  @Test
  void memoryWithoutTheOomKiller() throws IOException {
    config.set("/linux/resources/memory", "{limit:67108864,disableOOMKiller:true}");
    create();
    assertThat(read("memory", "memory.oom_control")).contains("oom_kill_disable 1");
  }

  @Test
  void memoryWithSwap() throws IOException {
    assumeTrue(
        Files.exists(CgroupHierarchies.ofV1("memory").resolve("memory.memsw.limit_in_bytes")),
        "no accounting of swap");
    config.set("/linux/resources/memory", "{limit:67108864,swap:134217728}");
    create();
    assertThat(read("memory", "memory.memsw.limit_in_bytes")).isEqualTo("134217728");
    // of two limits that bound each other the one goes first that makes room
    runtime("update", "--memory", "268435456", "--memory-swap", "536870912", id).succeeds();
    assertThat(read("memory", "memory.memsw.limit_in_bytes")).isEqualTo("536870912");
    runtime("update", "--memory", "67108864", "--memory-swap", "134217728", id).succeeds();
    assertThat(read("memory", "memory.memsw.limit_in_bytes")).isEqualTo("134217728");
  }

  @Test
  void throttledDevices() throws IOException {
    try (LoopDevice disk = LoopDevice.make(temp)) {
      String device = disk.numbers();
      config.set(
          "/linux/resources/blockIO",
          """
          {throttleReadBpsDevice:[{%1$s,rate:1048576}],
           throttleWriteBpsDevice:[{%1$s,rate:2097152}],
           throttleReadIOPSDevice:[{%1$s,rate:1000}],
           throttleWriteIOPSDevice:[{%1$s,rate:2000}]}
          """
              .formatted(disk.members()));
      create();
      assertThat(read("blkio", "blkio.throttle.read_bps_device")).isEqualTo(device + " 1048576");
      assertThat(read("blkio", "blkio.throttle.write_bps_device")).isEqualTo(device + " 2097152");
      assertThat(read("blkio", "blkio.throttle.read_iops_device")).isEqualTo(device + " 1000");
      assertThat(read("blkio", "blkio.throttle.write_iops_device")).isEqualTo(device + " 2000");
      runtime("delete", "--force", id).succeeds();
    }
  }

  /// They are BFQ's since Linux 5.0, and that of a device needs it as its scheduler.
  @Test
  void blockIoWeights() throws IOException {
    try (LoopDevice disk = LoopDevice.make(temp)) {
      assumeTrue(disk.schedulers().contains("bfq"), "a kernel without BFQ");
      disk.schedule("bfq");
      config.set(
          "/linux/resources/blockIO",
          "{weight:300,weightDevice:[{%s,weight:400}]}".formatted(disk.members()));
      create();
      assertThat(read("blkio", "blkio.bfq.weight")).isEqualTo("300");
      assertThat(read("blkio", "blkio.bfq.weight_device").lines())
          .containsExactly("default 300", disk.numbers() + " 400");
      runtime("update", "--blkio-weight", "500", id).succeeds();
      assertThat(read("blkio", "blkio.bfq.weight")).isEqualTo("500");
      runtime("delete", "--force", id).succeeds();
      disk.schedule("none");
      onBundle("create").run().failsInOneLine(disk.numbers() + " 400", "not supported");
    }
  }

  @Test
  void leafWeightsNeedAKernelThatHasThem() throws IOException {
    for (String limits :
        List.of("{leafWeight:300}", "{weightDevice:[{major:7,minor:0,leafWeight:300}]}")) {
      config.set("/linux/resources/blockIO", limits);
      Outcome outcome = onBundle("create").run();
      assumeTrue(outcome.status() != 0, "a kernel with CFQ");
      outcome.failsInOneLine("blkio.leaf_weight", "no such file or directory");
    }
  }

  /// Of a device that is not there.
  @Test
  void throttlingWhatIsNoDeviceIsRefused() throws IOException {
    config.set(
        "/linux/resources/blockIO",
        "{throttleWriteIOPSDevice:[{major:4095,minor:1048575,rate:5}]}");
    onBundle("create").run().failsInOneLine("write_iops_device", "no such device");
  }

  @Test
  void networkClassAndPriorities() throws IOException {
    for (String controller : List.of("net_cls", "net_prio"))
      assumeTrue(
          Files.exists(Path.of("/sys/fs/cgroup", controller)), "no hierarchy of " + controller);
    config.set("/linux/resources/network", "{classID:1048577,priorities:[{name:'lo',priority:7}]}");
    create();
    assertThat(read("net_cls", "net_cls.classid")).isEqualTo("1048577");
    assertThat(read("net_prio", "net_prio.ifpriomap").lines()).contains("lo 7");
  }

  @Test
  void networkClassAndPrioritiesNeedTheirHierarchies() throws IOException {
    for (List<String> limit :
        List.of(
            List.of("net_cls", "{classID:1048577}"),
            List.of("net_prio", "{priorities:[{name:'lo',priority:7}]}"))) {
      if (Files.exists(Path.of("/sys/fs/cgroup", limit.get(0)))) continue;
      config.set("/linux/resources/network", limit.get(1));
      onBundle("create").run().failsInOneLine(limit.get(0));
    }
  }

  @Test
  void hugePages() throws IOException {
    assumeTrue(
        Files.exists(Path.of("/sys/fs/cgroup/hugetlb/hugetlb.2MB.usage_in_bytes")),
        "no hugetlb hierarchy");
    config.set("/linux/resources/hugepageLimits", "[{pageSize:'2MB',limit:4194304}]");
    create();
    assertThat(read("hugetlb", "hugetlb.2MB.limit_in_bytes")).isEqualTo("4194304");
  }

  @Test
  void pids() throws IOException {
    config.set("/linux/resources/pids", "{limit:42}");
    create();
    assertThat(read("pids", "pids.max")).isEqualTo("42");
  }

  /// As runtime-spec 1.3 has it; runc before 1.4 takes 0 for no limit.
  @JrunOnly
  @Test
  void aPidsLimitOfNoneLeavesOnlyInit() throws IOException {
    config.set("/linux/resources/pids", "{limit:0}");
    create();
    assertThat(read("pids", "pids.max")).isEqualTo("1");
  }

  @Test
  void pidsWithoutALimit() throws IOException {
    config.set("/linux/resources/pids", "{}");
    create();
    assertThat(read("pids", "pids.max")).isEqualTo("max");
  }

  @JrunOnly
  @Test
  void anInitThatMemoryDoesNotSufficeForIsExplained() throws IOException {
    config.set("/linux/resources/memory", "{limit:4096}");
    run().failsInOneLine("OOM-killed", "memory limit too low");
  }

  @Test
  void thePidsLimitHolds() throws IOException {
    config.set("/linux/resources/pids", "{limit:3}");
    assertThat(
            runSh("for i in 1 2 3 4 5 6; do sleep 1 & done").out()
                + runSh("(sleep 1 & sleep 1 & sleep 1 & sleep 1 & wait) 2>&1").out())
        .contains("can't fork");
  }

  @Test
  void cpu() throws IOException {
    config.set("/linux/resources/cpu", "{shares:512,quota:50000,period:100000}");
    create();
    assertThat(read("cpu", "cpu.shares")).isEqualTo("512");
    assertThat(read("cpu", "cpu.cfs_quota_us")).isEqualTo("50000");
    assertThat(read("cpu", "cpu.cfs_period_us")).isEqualTo("100000");
  }

  @Test
  void cpuset() throws IOException {
    config.set("/linux/resources/cpu", "{cpus:'0',mems:'0'}");
    create();
    assertThat(read("cpuset", "cpuset.cpus")).isEqualTo("0");
    assertThat(read("cpuset", "cpuset.mems")).isEqualTo("0");
  }

  @Test
  void cgroupsPathIsUsedInEveryHierarchy() throws IOException {
    String name = tag + "-named";
    config.setText("/linux/cgroupsPath", "/" + name);
    create();
    String pid = state().get("pid").asString();
    assertThat(
            Files.readAllLines(Path.of("/proc", pid, "cgroup")).stream()
                // runc before 1.2 leaves out the unified one of a hybrid machine
                .filter(line -> RUNTIME.isJrun() || !line.startsWith("0::")))
        .hasSizeGreaterThan(3)
        .allMatch(line -> line.endsWith(":/" + name));
    assertThat(Path.of("/sys/fs/cgroup/pids", name)).isDirectory();
    assertThat(Path.of("/sys/fs/cgroup/devices", name)).isDirectory();
    runtime("delete", "--force", id).succeeds();
    assertThat(cgroups()).isEmpty();
  }

  /// Nor is such a cgroup taken away.
  @Test
  void aFrozenCgroupIsRefused() throws IOException {
    Path frozen = Files.createDirectory(CgroupHierarchies.ofV1("freezer").resolve(tag + "-frozen"));
    try {
      Files.writeString(frozen.resolve("freezer.state"), "FROZEN");
      config.setText("/linux/cgroupsPath", "/" + tag + "-frozen");
      onBundle("create").run().failsInOneLine("frozen");
      assertThat(ids()).isEmpty();
      assertThat(frozen.resolve("freezer.state")).hasContent("FROZEN");
    } finally {
      for (Path left : cgroups()) Files.deleteIfExists(left);
    }
  }

  @Test
  void everyProcessOfTheContainerIsInItsCgroup() throws IOException {
    startSleeper();
    runtime("exec", "-d", id, "sleep", "999").succeeds();
    assertThat(read("pids", "cgroup.procs").lines()).hasSize(2);
    assertThat(read("freezer", "cgroup.procs").lines()).contains(state().get("pid").asString());
  }

  @Test
  void updateChangesLimits() throws IOException {
    startSleeper();
    runtime("update", "--memory", "67108864", "--pids-limit", "33", "--cpu-share", "256", id)
        .succeeds();
    assertThat(read("memory", "memory.limit_in_bytes")).isEqualTo("67108864");
    assertThat(read("pids", "pids.max")).isEqualTo("33");
    assertThat(read("cpu", "cpu.shares")).isEqualTo("256");
    command("update", "-r", "-", id).input("{\"pids\":{\"limit\":44}}").run().succeeds();
    assertThat(read("pids", "pids.max")).isEqualTo("44");
  }

  @Test
  void eventsTellsStatistics() throws IOException {
    startSleeper();
    var event = Config.json(runtime("events", "--stats", id).succeeds().out());
    assertThat(event.get("type").asString()).isEqualTo("stats");
    assertThat(event.get("id").asString()).isEqualTo(id);
    assertThat(event.at("/data/pids/current").asInt()).isEqualTo(1);
    assertThat(event.at("/data/memory/usage/usage").asLong()).isPositive();
  }

  /// A kernel with realtime group scheduling lets no such process into a group without a budget.
  @JrunOnly
  @Test
  void aCallerWithARealtimePolicyIsToldWhatItNeeds() throws IOException {
    assumeTrue(
        Files.exists(Path.of("/sys/fs/cgroup/cpu/cpu.rt_runtime_us")),
        "no realtime group scheduling");
    List<String> words = new ArrayList<>(List.of("chrt", "-f", "1"));
    words.addAll(onBundle("run").words());
    Command.of(words).run().failsInOneLine("cannot join the container's cgroup", "realtime");
    words.add(words.size() - 1, "--detach");
    config.set("/linux/resources/cpu", "{realtimeRuntime:10000,realtimePeriod:1000000}");
    bundle.write(config);
    Command.of(words).run().succeeds();
    awaitStatus("stopped");
    runtime("delete", id).succeeds();
  }

  @Test
  void aCpusetBelowAParentThatIsMadeOnTheWay() throws IOException {
    config
        .setText("/linux/cgroupsPath", "/" + tag + "-parent/" + id)
        .set("/linux/resources/cpu", "{cpus:'0',mems:'0'}");
    create();
    Path cpuset = Path.of("/sys/fs/cgroup/cpuset", tag + "-parent");
    assertThat(Files.readString(cpuset.resolve(id).resolve("cpuset.cpus"))).isEqualTo("0\n");
    runtime("delete", "--force", id).succeeds();
    for (Path left : cgroups()) Files.deleteIfExists(left);
  }
}

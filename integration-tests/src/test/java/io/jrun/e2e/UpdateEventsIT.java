package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/// `update` in all its flags, and `events`. What every flag does on cgroup v2 is in [CgroupV2IT].
class UpdateEventsIT extends EndToEnd {
  private String read(String controller, String file) throws IOException {
    for (Path directory : cgroups()) {
      if ((CgroupHierarchies.isV2Alone() || directory.startsWith("/sys/fs/cgroup/" + controller))
          && directory.endsWith(id)) return Files.readString(directory.resolve(file)).strip();
    }
    throw new AssertionError("no cgroup of " + controller);
  }

  private String memoryLimit() throws IOException {
    return read("memory", CgroupHierarchies.isV2Alone() ? "memory.max" : "memory.limit_in_bytes");
  }

  @Test
  void everyFlagReachesItsFile() throws IOException {
    assumeFalse(CgroupHierarchies.isV2Alone(), "the files are those of cgroup v1");
    startSleeper();
    runtime(
            "update",
            "--cpu-period",
            "50000",
            "--cpu-quota",
            "20000",
            "--cpu-share",
            "512",
            "--cpuset-cpus",
            "0",
            "--cpuset-mems",
            "0",
            "--memory",
            "64M",
            "--memory-reservation",
            "32M",
            "--pids-limit",
            "20",
            id)
        .succeeds();
    assertThat(read("cpu", "cpu.cfs_period_us")).isEqualTo("50000");
    assertThat(read("cpu", "cpu.cfs_quota_us")).isEqualTo("20000");
    assertThat(read("cpu", "cpu.shares")).isEqualTo("512");
    assertThat(read("cpuset", "cpuset.cpus")).isEqualTo("0");
    assertThat(read("memory", "memory.limit_in_bytes")).isEqualTo("67108864");
    assertThat(read("memory", "memory.soft_limit_in_bytes")).isEqualTo("33554432");
    assertThat(read("pids", "pids.max")).isEqualTo("20");
    runtime("update", "--cpu-quota", "10000", id).succeeds();
    assertThat(read("cpu", "cpu.cfs_period_us")).isEqualTo("50000");
    assertThat(read("cpu", "cpu.cfs_quota_us")).isEqualTo("10000");
    runtime("update", "--memory", "-1", "--pids-limit", "-1", id).succeeds();
    assertThat(read("pids", "pids.max")).isEqualTo("max");
    assertThat(Long.parseLong(read("memory", "memory.limit_in_bytes"))).isGreaterThan(1L << 60);
    killAndDelete();
  }

  @Test
  void aFileOrStandardInputGivesThemToo() throws IOException {
    startSleeper();
    Path file = temp.resolve("resources.json");
    Files.writeString(file, "{\"pids\":{\"limit\":7},\"memory\":{\"limit\":67108864}}");
    runtime("update", "-r", file.toString(), id).succeeds();
    assertThat(read("pids", "pids.max")).isEqualTo("7");
    assertThat(memoryLimit()).isEqualTo("67108864");
    command("update", "--resources", "-", id)
        .input("{\"memory\":{\"limit\":33554432}}")
        .run()
        .succeeds();
    assertThat(memoryLimit()).isEqualTo("33554432");
    killAndDelete();
  }

  /// The kernel refuses a period below the runtime that is in force.
  @Test
  void aRealtimePeriodMayGoBelowTheRuntimeBefore() throws IOException {
    assumeTrue(
        Files.exists(Path.of("/sys/fs/cgroup/cpu/cpu.rt_period_us")),
        "no realtime groups in this kernel's cgroup v1");
    config.set("/linux/resources/cpu", "{realtimePeriod:1000000,realtimeRuntime:50000}");
    startSleeper();
    runtime("update", "--cpu-rt-period", "10000", "--cpu-rt-runtime", "3000", id).succeeds();
    assertThat(read("cpu", "cpu.rt_period_us")).isEqualTo("10000");
    assertThat(read("cpu", "cpu.rt_runtime_us")).isEqualTo("3000");
    killAndDelete();
  }

  @Test
  void devicesAreLeftAlone() throws IOException {
    config.set("/linux/devices", "[{path:'/dev/e2e',type:'c',major:1,minor:11,fileMode:438}]");
    startSleeper();
    runtime("update", "--pids-limit", "9", id).succeeds();
    execSh("echo x > /dev/null").succeeds();
    assertThat(execSh("exec 3> /dev/e2e").fails().err()).contains("Operation not permitted");
    killAndDelete();
  }

  @Test
  void wrongValuesAndStoppedContainersAreRefused() throws IOException {
    config.args("true");
    create();
    assertThat(runtime("update", "--memory", "lots", id).exits(1).err()).contains("memory");
    assertThat(runtime("update", "--cpu-quota", "x", id).exits(1).err()).contains("cpu-quota");
    if (RUNTIME.isJrun()) {
      // and not kept, where it would be found by every later command
      runtime("update", "--blkio-weight", "5", id).failsInOneLine("/blockIO/weight");
      assertThat(ids()).containsExactly(id);
    }
    runtime("start", id).succeeds();
    awaitStatus("stopped");
    runtime("update", "--pids-limit", "9", id).fails();
    assertThat(runtime("update", "--pids-limit", "9", tag + "-none").exits(1).err())
        .contains("does not exist");
  }

  @Test
  void statisticsHaveTheirShape() throws IOException {
    config.set("/linux/resources/pids", "{limit:20}");
    startSleeper();
    JsonNode event = Config.json(runtime("events", "--stats", id).succeeds().out());
    assertThat(event.get("type").asString()).isEqualTo("stats");
    assertThat(event.at("/data/pids/current").asInt()).isEqualTo(1);
    assertThat(event.at("/data/pids/limit").asInt()).isEqualTo(20);
    assertThat(event.at("/data/cpu/usage/total").asLong()).isPositive();
    if (!CgroupHierarchies.isV2Alone())
      for (String each : List.of("percpu", "percpu_kernel", "percpu_user"))
        assertThat(event.at("/data/cpu/usage/" + each).isArray()).as(each).isTrue();
    else if (Files.exists(Path.of("/proc/pressure")))
      for (String of : List.of("cpu", "memory", "blkio"))
        assertThat(event.at("/data/" + of + "/psi/some/avg10").isNumber()).as(of).isTrue();
    // of cgroup v2 without a limit it is the largest number of 64 bits, without a sign
    assertThat(event.at("/data/memory/usage/limit").bigIntegerValue()).isPositive();
    assertThat(event.at("/data/memory/raw").size()).isGreaterThan(10);
    assertThat(event.at("/data").has("hugetlb")).isTrue();
    assertThat(event.at("/data/cpuset/cpus").isArray()).isTrue();
    killAndDelete();
  }

  @Test
  void statisticsComeAtTheIntervalUntilTheEnd() throws IOException {
    startSleeper();
    Command.Running running = command("events", "--interval", "200ms", id).start();
    assertThat(eventually(() -> lines(running) >= 3)).isTrue();
    runtime("kill", id, "KILL").succeeds();
    awaitStatus("stopped");
    runtime("delete", id).succeeds();
    running.finish();
  }

  private static int lines(Command.Running running) {
    try {
      return (int) running.outputSoFar().lines().count();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @Test
  void runningOutOfMemoryIsTold() throws IOException {
    config
        .set("/linux/resources/memory", "{limit:16777216}")
        .sh(
            "while :; do (echo 1000 > /proc/self/oom_score_adj; exec dd if=/dev/zero of=/tmp/big bs=1M count=60); sleep 0.1; done")
        .mount("{destination:'/tmp',type:'tmpfs',source:'tmpfs'}");
    createAndStart();
    Command.Running running = command("events", "--interval", "60s", id).start();
    assertThat(eventually(() -> told(running, "\"oom\""))).isTrue();
    runtime("delete", "--force", id).succeeds();
    List<String> lines = running.finish().lines();
    JsonNode event = Config.json(lines.getFirst());
    assertThat(event.get("type").asString()).isEqualTo("oom");
    assertThat(event.get("id").asString()).isEqualTo(id);
    assertThat(event.has("data")).isFalse();
  }

  private static boolean told(Command.Running running, String word) {
    try {
      return running.outputSoFar().contains(word);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @Test
  void anIntervalMustBeOne() throws IOException {
    startSleeper();
    runtime("events", "--interval", "0s", id).fails();
    killAndDelete();
  }
}

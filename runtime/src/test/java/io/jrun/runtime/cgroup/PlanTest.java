package io.jrun.runtime.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrun.specs.runtime.Resources;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class PlanTest {
  private static final String LIMITS =
      """
      {"devices":[{"allow":false,"access":"rwm"},{"allow":true,"type":"c","major":10,"minor":229,"access":"rw"}],
       "cpu":{"shares":512,"quota":50000,"period":100000,"burst":1000,"cpus":"0","mems":"0","idle":0},
       "memory":{"limit":1048576,"swap":3145728,"reservation":4096,"kernel":9},
       "pids":{"limit":7},
       "blockIO":{"weight":500,"throttleReadBpsDevice":[{"major":8,"minor":0,"rate":600}]}}
      """;

  @Test
  void v1WritesEveryLimitInItsOrder() {
    assertThat(lines(Samples.HYBRID, LIMITS, Plan.Current.CREATED))
        .containsExactly(
            "devices/devices.deny = a",
            "devices/devices.allow = c 10:229 rw",
            "devices/devices.allow = c *:* m",
            "devices/devices.allow = b *:* m",
            "devices/devices.allow = c 1:3 rwm",
            "devices/devices.allow = c 1:5 rwm",
            "devices/devices.allow = c 1:7 rwm",
            "devices/devices.allow = c 1:8 rwm",
            "devices/devices.allow = c 1:9 rwm",
            "devices/devices.allow = c 5:0 rwm",
            "devices/devices.allow = c 5:2 rwm",
            "devices/devices.allow = c 136:* rwm",
            "cpu/cpu.idle = 0",
            "cpu/cpu.shares = 512",
            "cpu/cpu.cfs_burst_us = 1000",
            "cpu/cpu.cfs_period_us = 100000",
            "cpu/cpu.cfs_quota_us = 50000",
            "cpuset/cpuset.cpus = 0",
            "cpuset/cpuset.mems = 0",
            "memory/memory.limit_in_bytes = 1048576",
            "memory/memory.memsw.limit_in_bytes = 3145728",
            "memory/memory.soft_limit_in_bytes = 4096",
            "pids/pids.max = 7",
            "blkio/blkio.weight = 500 (or blkio/blkio.bfq.weight = 500)",
            "blkio/blkio.throttle.read_bps_device = 8:0 600");
  }

  @Test
  void v2ConvertsWhatHasOtherUnits() {
    assertThat(lines(Samples.V2, LIMITS, Plan.Current.CREATED))
        .containsExactly(
            "unified/pids.max = 7",
            "unified/memory.swap.max = 2097152",
            "unified/memory.max = 1048576",
            "unified/memory.low = 4096",
            "unified/io.bfq.weight = 500 (or unified/io.weight = 4950)",
            "unified/io.max = 8:0 rbps=600",
            "unified/cpu.idle = 0",
            "unified/cpu.weight = 59",
            "unified/cpu.max.burst = 1000",
            "unified/cpu.max = 50000 100000",
            "unified/cpuset.cpus = 0",
            "unified/cpuset.mems = 0");
  }

  @Test
  void raisingMemoryRaisesSwapFirstAndLoweringLowersItLast() {
    String limits = "{\"memory\":{\"limit\":2000,\"swap\":3000}}";
    assertThat(lines(Samples.HYBRID, limits, new Plan.Current(false, 1000L)))
        .containsExactly(
            "memory/memory.memsw.limit_in_bytes = 3000", "memory/memory.limit_in_bytes = 2000");
    assertThat(lines(Samples.HYBRID, limits, new Plan.Current(false, 9000L)))
        .containsExactly(
            "memory/memory.limit_in_bytes = 2000", "memory/memory.memsw.limit_in_bytes = 3000");
  }

  @Test
  void weightFollowsTheCurveOfThePeers() {
    assertThat(List.of(PlanV2.weight(2), PlanV2.weight(1024), PlanV2.weight(262144)))
        .containsExactly(1L, 100L, 10000L);
  }

  @Test
  void whatCannotBeLimitedIsNamed() {
    assertThatThrownBy(() ->
            lines(
                Samples.HYBRID,
                "{\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":1}]}",
                Plan.Current.CREATED))
        .hasMessage("hugetlb cgroup is not mounted");
    assertThatThrownBy(() ->
            lines(Samples.HYBRID, "{\"unified\":{\"cpu.max\":\"max\"}}", Plan.Current.CREATED))
        .hasMessageContaining("cannot use unified on cgroup v1");
    assertThatThrownBy(() -> lines(Samples.V2, "{\"memory\":{\"swap\":5}}", Plan.Current.CREATED))
        .hasMessage("unable to set swap limit without memory limit");
    assertThatThrownBy(
            () -> lines(Samples.V2, "{\"network\":{\"classID\":5}}", Plan.Current.CREATED))
        .hasMessageContaining("net_cls cgroup is not mounted");
  }

  @Test
  void unifiedFilesAreWrittenLast() {
    assertThat(
            lines(
                Samples.V2,
                "{\"pids\":{\"limit\":-1},\"unified\":{\"pids.max\":\"9\"}}",
                Plan.Current.CREATED))
        .containsExactly("unified/pids.max = max", "unified/pids.max = 9");
  }

  @Test
  void aDeviceRuleThatV1WouldIgnoreIsRefused() {
    String limits =
        "{\"devices\":[{\"allow\":true,\"type\":\"c\",\"access\":\"rw\"},{\"allow\":false,\"type\":\"c\",\"major\":4,\"minor\":64,\"access\":\"rw\"}]}";
    assertThatThrownBy(() -> lines(Samples.HYBRID, limits, Plan.Current.CREATED))
        .hasMessageContaining("deny c 4:64 rw takes back a part of allow c *:* rw");
  }

  private static List<String> lines(String mountinfo, String resources, Plan.Current current) {
    return Plan.of(
            Resources.read(resources.getBytes(StandardCharsets.UTF_8)),
            Hierarchies.parse(mountinfo),
            current)
        .stream()
        .map(Write::toString)
        .toList();
  }
}

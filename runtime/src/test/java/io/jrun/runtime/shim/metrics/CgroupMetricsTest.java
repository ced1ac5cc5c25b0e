package io.jrun.runtime.shim.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrun.runtime.cgroup.CgroupValues;
import io.jrun.specs.proto.ProtoMessage;
import io.jrun.specs.task.AnyValue;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// Each number of the files is found under its field; the numbers are those of containerd's
/// `io.containerd.cgroups.v1` and `v2` messages.
class CgroupMetricsTest {

  private static CgroupValues values(boolean isV2, Map<String, String> files) {
    return new CgroupValues(
        isV2, (controller, file) -> files.getOrDefault(file, ""), List.of("2MB"));
  }

  @Test
  void v1() {
    CgroupValues values =
        values(
            false,
            Map.ofEntries(
                Map.entry("hugetlb.2MB.usage_in_bytes", "2097152\n"),
                Map.entry("hugetlb.2MB.max_usage_in_bytes", "4194304\n"),
                Map.entry("hugetlb.2MB.failcnt", "3\n"),
                Map.entry("pids.current", "2\n"),
                Map.entry("pids.max", "max\n"),
                Map.entry("cpuacct.usage", "1234567\n"),
                Map.entry("cpuacct.stat", "user 5\nsystem 7\n"),
                Map.entry("cpuacct.usage_percpu", "1000000 234567\n"),
                Map.entry("cpu.stat", "nr_periods 9\nnr_throttled 8\nthrottled_time 70\n"),
                Map.entry(
                    "memory.stat",
                    """
                    cache 1
                    rss 2
                    unevictable 15
                    hierarchical_memory_limit 9223372036854771712
                    hierarchical_memsw_limit 17
                    total_cache 18
                    total_unevictable 32
                    """),
                Map.entry("memory.usage_in_bytes", "100\n"),
                Map.entry("memory.limit_in_bytes", "9223372036854771712\n"),
                Map.entry("memory.max_usage_in_bytes", "200\n"),
                Map.entry("memory.failcnt", "4\n"),
                Map.entry("memory.kmem.tcp.usage_in_bytes", "5\n"),
                Map.entry("memory.oom_control", "oom_kill_disable 0\nunder_oom 1\noom_kill 2\n"),
                Map.entry(
                    "blkio.throttle.io_service_bytes",
                    "254:0 Read 4096\n254:0 Write 512\nTotal 4608\n"),
                Map.entry("blkio.throttle.io_serviced", "254:0 Read 1\nTotal 1\n"),
                Map.entry("rdma.current", "mlx4_0 hca_handle=2 hca_object=max\n")));
    ProtoMessage m =
        ProtoMessage.parse(new MetricsV1(values, " 254       0 vda 1 2 3\n").toProto().toBytes());
    ProtoMessage huge = m.messages(1).getFirst();
    assertThat(huge.int64(1)).isEqualTo(2097152);
    assertThat(huge.int64(2)).isEqualTo(4194304);
    assertThat(huge.int64(3)).isEqualTo(3);
    assertThat(huge.string(4)).isEqualTo("2MB");
    assertThat(m.message(2).int64(1)).isEqualTo(2);
    assertThat(m.message(2).has(2)).as("no limit").isFalse();
    ProtoMessage usage = m.message(3).message(1);
    assertThat(usage.int64(1)).isEqualTo(1234567);
    assertThat(usage.int64(2)).as("kernel").isEqualTo(70_000_000);
    assertThat(usage.int64(3)).as("user").isEqualTo(50_000_000);
    assertThat(usage.bytes(4)).as("packed").hasSize(6);
    assertThat(m.message(3).message(2).int64(3)).isEqualTo(70);
    ProtoMessage memory = m.message(4);
    for (int number : new int[] {1, 2, 15, 17, 18, 32})
      assertThat(memory.int64(number)).as("memory %d", number).isEqualTo(number);
    assertThat(memory.int64(16)).isEqualTo(9223372036854771712L);
    assertThat(memory.message(33).int64(1)).isEqualTo(9223372036854771712L);
    assertThat(memory.message(33).int64(2)).isEqualTo(100);
    assertThat(memory.message(33).int64(3)).isEqualTo(200);
    assertThat(memory.message(33).int64(4)).isEqualTo(4);
    assertThat(memory.has(34)).as("no swap accounting").isFalse();
    assertThat(memory.message(36).int64(2)).isEqualTo(5);
    List<ProtoMessage> bytes = m.message(5).messages(1);
    assertThat(bytes).hasSize(2);
    assertThat(bytes.get(1).string(1)).isEqualTo("Write");
    assertThat(bytes.get(1).string(2)).isEqualTo("/dev/vda");
    assertThat(bytes.get(1).int64(3)).isEqualTo(254);
    assertThat(bytes.get(1).int64(5)).isEqualTo(512);
    assertThat(m.message(5).messages(2)).hasSize(1);
    assertThat(m.message(6).message(1).string(1)).isEqualTo("mlx4_0");
    assertThat(m.message(6).message(1).int64(3)).isEqualTo(0xffffffffL);
    assertThat(m.message(9).int64(2)).isEqualTo(1);
    assertThat(m.message(9).int64(3)).isEqualTo(2);
  }

  @Test
  void v2() {
    CgroupValues values =
        values(
            true,
            Map.ofEntries(
                Map.entry("pids.current", "2\n"),
                Map.entry("pids.max", "max\n"),
                Map.entry("cpu.stat", "usage_usec 1\nuser_usec 2\nthrottled_usec 6\n"),
                Map.entry(
                    "cpu.pressure",
                    "some avg10=1.50 avg60=0.00 avg300=0.00 total=77\nfull avg10=0.00 avg60=0.00 avg300=0.25 total=8\n"),
                Map.entry(
                    "memory.stat",
                    "anon 1\nfile 2\nthp_collapse_alloc 31\nworkingset_refault_anon 39\nworkingset_activate_file 42\n"),
                Map.entry("memory.current", "32\n"),
                Map.entry("memory.max", "33\n"),
                Map.entry("memory.swap.current", "34\n"),
                Map.entry("memory.swap.max", "max\n"),
                Map.entry("memory.peak", "36\n"),
                Map.entry("io.stat", "254:0 rbytes=3 wbytes=4 rios=5 wios=6 dbytes=0 dios=0\n"),
                Map.entry("hugetlb.2MB.current", "0\n"),
                Map.entry("hugetlb.2MB.max", "max\n"),
                Map.entry("memory.events", "low 1\nhigh 2\nmax 3\noom 4\noom_kill 5\n")));
    AnyValue any = CgroupMetrics.read(values);
    assertThat(any.typeUrl()).isEqualTo("io.containerd.cgroups.v2.Metrics");
    ProtoMessage m = ProtoMessage.parse(any.value());
    assertThat(m.message(1).int64(1)).isEqualTo(2);
    assertThat(m.message(1).int64(2)).as("no limit").isEqualTo(-1);
    assertThat(m.message(2).int64(1)).isEqualTo(1);
    assertThat(m.message(2).int64(6)).isEqualTo(6);
    assertThat(m.message(2).message(7).message(1).int64(4)).isEqualTo(77);
    assertThat(Double.longBitsToDouble(m.message(2).message(7).message(2).int64(3)))
        .isEqualTo(0.25);
    ProtoMessage memory = m.message(4);
    for (int number : new int[] {1, 2, 31, 32, 33, 34, 36, 39, 42})
      assertThat(memory.int64(number)).as("memory %d", number).isEqualTo(number);
    assertThat(memory.int64(35)).isEqualTo(-1);
    ProtoMessage io = m.message(6).messages(1).getFirst();
    for (int number = 3; number <= 6; number++) assertThat(io.int64(number)).isEqualTo(number);
    assertThat(m.message(7).int64(2)).isEqualTo(-1);
    assertThat(m.message(7).string(3)).isEqualTo("2MB");
    for (int number = 1; number <= 5; number++)
      assertThat(m.message(8).int64(number)).isEqualTo(number);
  }
}

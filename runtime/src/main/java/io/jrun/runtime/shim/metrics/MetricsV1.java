package io.jrun.runtime.shim.metrics;

import io.jrun.runtime.cgroup.CgroupValues;
import io.jrun.specs.proto.ProtoWriter;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/// `io.containerd.cgroups.v1.Metrics`. Left out, as the runc shim does, are the numbers of network
/// devices, and of tasks by their state.
record MetricsV1(CgroupValues values, String diskstats) {
  private static final long NANOS_PER_TICK = 10_000_000;

  /// Field 1 and on; those of the whole subtree, `total_…`, follow in the same order.
  private static final List<String> MEMORY =
      List.of(
          "cache",
          "rss",
          "rss_huge",
          "mapped_file",
          "dirty",
          "writeback",
          "pgpgin",
          "pgpgout",
          "pgfault",
          "pgmajfault",
          "inactive_anon",
          "active_anon",
          "inactive_file",
          "active_file",
          "unevictable");

  private static final int MEMORY_LIMIT = 16;
  private static final int SWAP_LIMIT = 17;
  private static final int FIRST_TOTAL = 18;
  private static final int FIRST_ENTRY = 33;

  ProtoWriter toProto() {
    ProtoWriter metrics = new ProtoWriter();
    for (String size : values.pageSizes()) {
      String prefix = "hugetlb." + size + ".";
      if (values.text("hugetlb", prefix + "usage_in_bytes").isEmpty()) continue;
      metrics.message(
          1,
          new ProtoWriter()
              .uint64(1, values.number("hugetlb", prefix + "usage_in_bytes"))
              .uint64(2, values.number("hugetlb", prefix + "max_usage_in_bytes"))
              .uint64(3, values.number("hugetlb", prefix + "failcnt"))
              .string(4, size));
    }
    metrics.message(2, pids()).message(3, cpu()).message(4, memory()).message(5, blkio());
    if (!values.text("rdma", "rdma.current").isEmpty())
      metrics.message(6, CgroupMetrics.rdma(values));
    Map<String, Long> oom = values.table("memory", "memory.oom_control");
    return metrics.message(
        9,
        new ProtoWriter()
            .uint64(1, oom.getOrDefault("oom_kill_disable", 0L))
            .uint64(2, oom.getOrDefault("under_oom", 0L))
            .uint64(3, oom.getOrDefault("oom_kill", 0L)));
  }

  /// No limit is 0 here.
  private ProtoWriter pids() {
    long limit = values.number("pids", "pids.max");
    return new ProtoWriter()
        .uint64(1, values.number("pids", "pids.current"))
        .uint64(2, limit == CgroupValues.UNLIMITED ? 0 : limit);
  }

  private ProtoWriter cpu() {
    Map<String, Long> ticks = values.table("cpuacct", "cpuacct.stat");
    ProtoWriter usage =
        new ProtoWriter()
            .uint64(1, values.number("cpuacct", "cpuacct.usage"))
            .uint64(2, ticks.getOrDefault("system", 0L) * NANOS_PER_TICK)
            .uint64(3, ticks.getOrDefault("user", 0L) * NANOS_PER_TICK);
    usage.packedUint64(
        4,
        Stream.of(values.text("cpuacct", "cpuacct.usage_percpu").strip().split("\\s+"))
            .filter(cpu -> cpu.matches("[0-9]+"))
            .mapToLong(Long::parseUnsignedLong)
            .toArray());
    Map<String, Long> stat = values.table("cpu", "cpu.stat");
    ProtoWriter throttling =
        new ProtoWriter()
            .uint64(1, stat.getOrDefault("nr_periods", 0L))
            .uint64(2, stat.getOrDefault("nr_throttled", 0L))
            .uint64(3, stat.getOrDefault("throttled_time", 0L));
    return new ProtoWriter().message(1, usage).message(2, throttling);
  }

  private ProtoWriter memory() {
    Map<String, Long> stat = values.table("memory", "memory.stat");
    ProtoWriter memory = new ProtoWriter();
    for (int i = 0; i < MEMORY.size(); i++)
      memory.uint64(i + 1, stat.getOrDefault(MEMORY.get(i), 0L));
    memory
        .uint64(MEMORY_LIMIT, stat.getOrDefault("hierarchical_memory_limit", 0L))
        .uint64(SWAP_LIMIT, stat.getOrDefault("hierarchical_memsw_limit", 0L));
    for (int i = 0; i < MEMORY.size(); i++)
      memory.uint64(FIRST_TOTAL + i, stat.getOrDefault("total_" + MEMORY.get(i), 0L));
    List<String> entries = List.of("memory.", "memory.memsw.", "memory.kmem.", "memory.kmem.tcp.");
    for (int i = 0; i < entries.size(); i++) {
      String prefix = entries.get(i);
      if (values.text("memory", prefix + "usage_in_bytes").isEmpty()) continue;
      memory.message(
          FIRST_ENTRY + i,
          new ProtoWriter()
              .uint64(1, values.number("memory", prefix + "limit_in_bytes"))
              .uint64(2, values.number("memory", prefix + "usage_in_bytes"))
              .uint64(3, values.number("memory", prefix + "max_usage_in_bytes"))
              .uint64(4, values.number("memory", prefix + "failcnt")));
    }
    return memory;
  }

  private record Device(int major, int minor) {}

  private ProtoWriter blkio() {
    Map<Device, String> names = new HashMap<>();
    for (String line : diskstats.split("\n")) {
      String[] fields = line.strip().split("\\s+");
      if (fields.length > 2)
        names.put(
            new Device(Integer.parseInt(fields[0]), Integer.parseInt(fields[1])),
            "/dev/" + fields[2]);
    }
    ProtoWriter blkio = new ProtoWriter();
    // BFQ counts what passes its queues; the counters of throttling are always there
    String[][] files = {
      {"io_service_bytes_recursive", "throttle.io_service_bytes"},
      {"io_serviced_recursive", "throttle.io_serviced"},
      {"io_queued_recursive"},
      {"io_service_time_recursive"},
      {"io_wait_time_recursive"},
      {"io_merged_recursive"},
      {"time_recursive"},
      {"sectors_recursive"}
    };
    for (int i = 0; i < files.length; i++) {
      for (String file : files[i]) {
        if (entries(blkio, i + 1, "blkio.bfq." + file, names)) break;
        if (entries(blkio, i + 1, "blkio." + file, names)) break;
      }
    }
    return blkio;
  }

  /// Lines of `major:minor operation value` or `major:minor value`; whether there are any.
  private boolean entries(ProtoWriter blkio, int number, String file, Map<Device, String> names) {
    boolean any = false;
    for (String line : values.text("blkio", file).split("\n")) {
      String[] fields = line.split("[: ]+");
      String value = fields[fields.length - 1];
      if (fields.length < 3 || fields.length > 4 || !value.matches("[0-9]+")) continue;
      Device device = new Device(Integer.parseInt(fields[0]), Integer.parseInt(fields[1]));
      any = true;
      blkio.message(
          number,
          new ProtoWriter()
              .string(1, fields.length == 4 ? fields[2] : "")
              .string(2, names.getOrDefault(device, ""))
              .uint64(3, device.major())
              .uint64(4, device.minor())
              .uint64(5, Long.parseUnsignedLong(value)));
    }
    return any;
  }
}

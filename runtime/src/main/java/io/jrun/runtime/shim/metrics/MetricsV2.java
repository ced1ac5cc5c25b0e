package io.jrun.runtime.shim.metrics;

import io.jrun.runtime.cgroup.CgroupValues;
import io.jrun.runtime.cgroup.Pressure;
import io.jrun.specs.proto.ProtoWriter;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// `io.containerd.cgroups.v2.Metrics`. No limit is the largest number.
record MetricsV2(CgroupValues values) {

  /// Names in memory.stat, field 1 and on. Since Linux 5.9 two of them are split, see [#SPLIT].
  private static final List<String> MEMORY =
      List.of(
          "anon",
          "file",
          "kernel_stack",
          "slab",
          "sock",
          "shmem",
          "file_mapped",
          "file_dirty",
          "file_writeback",
          "anon_thp",
          "inactive_anon",
          "active_anon",
          "inactive_file",
          "active_file",
          "unevictable",
          "slab_reclaimable",
          "slab_unreclaimable",
          "pgfault",
          "pgmajfault",
          "workingset_refault",
          "workingset_activate",
          "workingset_nodereclaim",
          "pgrefill",
          "pgscan",
          "pgsteal",
          "pgactivate",
          "pgdeactivate",
          "pglazyfree",
          "pglazyfreed",
          "thp_fault_alloc",
          "thp_collapse_alloc");

  private static final List<String> SPLIT =
      List.of(
          "workingset_refault_anon",
          "workingset_refault_file",
          "workingset_activate_anon",
          "workingset_activate_file");

  private static final int PRESSURE_OF_MEMORY = 38;

  private static final List<String> MEMORY_FILES =
      List.of(
          "memory.current",
          "memory.max",
          "memory.swap.current",
          "memory.swap.max",
          "memory.peak",
          "memory.swap.peak");

  private static final List<String> EVENTS = List.of("low", "high", "max", "oom", "oom_kill");

  ProtoWriter toProto() {
    ProtoWriter metrics =
        new ProtoWriter()
            .message(
                1,
                new ProtoWriter()
                    .uint64(1, values.number("pids", "pids.current"))
                    .uint64(2, values.number("pids", "pids.max")))
            .message(2, cpu())
            .message(4, memory())
            .message(5, CgroupMetrics.rdma(values))
            .message(6, io());
    for (String size : values.pageSizes()) {
      String prefix = "hugetlb." + size + ".";
      if (values.text("hugetlb", prefix + "current").isEmpty()) continue;
      metrics.message(
          7,
          new ProtoWriter()
              .uint64(1, values.number("hugetlb", prefix + "current"))
              .uint64(2, values.number("hugetlb", prefix + "max"))
              .string(3, size));
    }
    Map<String, Long> events = values.table("memory", "memory.events");
    ProtoWriter counts = new ProtoWriter();
    for (int i = 0; i < EVENTS.size(); i++)
      counts.uint64(i + 1, events.getOrDefault(EVENTS.get(i), 0L));
    return metrics.message(8, counts);
  }

  private ProtoWriter cpu() {
    Map<String, Long> stat = values.table("cpu", "cpu.stat");
    ProtoWriter cpu = new ProtoWriter();
    List<String> names =
        List.of(
            "usage_usec",
            "user_usec",
            "system_usec",
            "nr_periods",
            "nr_throttled",
            "throttled_usec");
    for (int i = 0; i < names.size(); i++) cpu.uint64(i + 1, stat.getOrDefault(names.get(i), 0L));
    pressure(cpu, 7, "cpu");
    return cpu;
  }

  private ProtoWriter memory() {
    Map<String, Long> stat = values.table("memory", "memory.stat");
    ProtoWriter memory = new ProtoWriter();
    for (int i = 0; i < MEMORY.size(); i++)
      memory.uint64(i + 1, stat.getOrDefault(MEMORY.get(i), 0L));
    for (int i = 0; i < MEMORY_FILES.size(); i++)
      memory.uint64(MEMORY.size() + 1 + i, values.number("memory", MEMORY_FILES.get(i)));
    pressure(memory, PRESSURE_OF_MEMORY, "memory");
    for (int i = 0; i < SPLIT.size(); i++)
      memory.uint64(PRESSURE_OF_MEMORY + 1 + i, stat.getOrDefault(SPLIT.get(i), 0L));
    return memory;
  }

  /// Lines of `major:minor rbytes=N wbytes=N rios=N wios=N dbytes=N dios=N`.
  private ProtoWriter io() {
    ProtoWriter io = new ProtoWriter();
    for (String line : values.text("io", "io.stat").split("\n")) {
      String[] fields = line.split(" ");
      String[] device = fields[0].split(":");
      if (device.length != 2) continue;
      Map<String, Long> counts = new HashMap<>();
      for (String field : fields) {
        String[] pair = field.split("=");
        if (pair.length == 2 && pair[1].matches("[0-9]+"))
          counts.put(pair[0], Long.parseUnsignedLong(pair[1]));
      }
      io.message(
          1,
          new ProtoWriter()
              .uint64(1, Long.parseLong(device[0]))
              .uint64(2, Long.parseLong(device[1]))
              .uint64(3, counts.getOrDefault("rbytes", 0L))
              .uint64(4, counts.getOrDefault("wbytes", 0L))
              .uint64(5, counts.getOrDefault("rios", 0L))
              .uint64(6, counts.getOrDefault("wios", 0L)));
    }
    pressure(io, 2, "io");
    return io;
  }

  private void pressure(ProtoWriter to, int number, String controller) {
    List<Pressure> lines = values.pressure(controller);
    if (lines.isEmpty()) return;
    ProtoWriter pressure = new ProtoWriter();
    for (Pressure line : lines)
      pressure.message(
          line.kind().equals("some") ? 1 : 2,
          new ProtoWriter()
              .float64(1, line.avg10().doubleValue())
              .float64(2, line.avg60().doubleValue())
              .float64(3, line.avg300().doubleValue())
              .uint64(4, line.total()));
    to.message(number, pressure);
  }
}

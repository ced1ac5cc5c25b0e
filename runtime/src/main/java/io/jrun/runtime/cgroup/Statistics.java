package io.jrun.runtime.cgroup;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.Json.JsonArray;
import io.jrun.specs.json.Json.JsonNull;
import io.jrun.specs.json.Json.JsonNumber;
import io.jrun.specs.json.Json.JsonObject;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What a cgroup has used, in the shape of `runc events --stats`, from the files of v1 or v2. What
/// the kernel does not count is left out or 0.
final class Statistics {
  private static final long NANOS_PER_TICK = 10_000_000;

  private final CgroupValues values;

  Statistics(CgroupValues values) {
    this.values = values;
  }

  JsonObject read() {
    boolean v2 = values.isV2();
    return JsonObject.EMPTY
        .with("cpu", v2 ? cpuV2() : cpuV1())
        .with("cpuset", cpuset(v2))
        .with("memory", v2 ? memoryV2() : memoryV1())
        .with("pids", pids())
        .with("blkio", v2 ? ioV2() : ioV1())
        .with("hugetlb", hugetlb(v2))
        .with("intel_rdt", JsonObject.EMPTY)
        .with("network_interfaces", new JsonNull());
  }

  private String text(String controller, String file) {
    return values.text(controller, file);
  }

  private long number(String controller, String file) {
    return values.number(controller, file);
  }

  private Map<String, Long> table(String controller, String file) {
    return values.table(controller, file);
  }

  private static JsonObject put(JsonObject object, String name, long value) {
    return value == 0 ? object : object.with(name, Json.ofUnsigned(value));
  }

  private static Json numbers(String text) {
    List<Json> numbers = new ArrayList<>();
    for (String field : text.strip().split("\\s+"))
      if (field.matches("[0-9]+")) numbers.add(Json.ofUnsigned(Long.parseUnsignedLong(field)));
    return new JsonArray(numbers);
  }

  private static JsonObject throttling(Map<String, Long> stat, String time, long nanosPer) {
    JsonObject throttling = put(JsonObject.EMPTY, "periods", stat.getOrDefault("nr_periods", 0L));
    throttling = put(throttling, "throttledPeriods", stat.getOrDefault("nr_throttled", 0L));
    return put(throttling, "throttledTime", stat.getOrDefault(time, 0L) * nanosPer);
  }

  private JsonObject cpuV1() {
    Map<String, Long> stat = table("cpuacct", "cpuacct.stat");
    JsonObject usage = put(JsonObject.EMPTY, "total", number("cpuacct", "cpuacct.usage"));
    String each = text("cpuacct", "cpuacct.usage_percpu");
    if (!each.isBlank()) usage = usage.with("percpu", numbers(each));
    usage =
        perCpu(usage)
            .with("kernel", Json.of(stat.getOrDefault("system", 0L) * NANOS_PER_TICK))
            .with("user", Json.of(stat.getOrDefault("user", 0L) * NANOS_PER_TICK));
    JsonObject throttling = throttling(table("cpu", "cpu.stat"), "throttled_time", 1);
    JsonObject cpu = JsonObject.EMPTY.with("usage", usage);
    return throttling.isEmpty() ? cpu : cpu.with("throttling", throttling);
  }

  private JsonObject cpuV2() {
    Map<String, Long> stat = table("cpu", "cpu.stat");
    JsonObject usage =
        put(JsonObject.EMPTY, "total", stat.getOrDefault("usage_usec", 0L) * 1000)
            .with("kernel", Json.of(stat.getOrDefault("system_usec", 0L) * 1000))
            .with("user", Json.of(stat.getOrDefault("user_usec", 0L) * 1000));
    JsonObject throttling = throttling(stat, "throttled_usec", 1000);
    JsonObject cpu = JsonObject.EMPTY.with("usage", usage);
    if (!throttling.isEmpty()) cpu = cpu.with("throttling", throttling);
    return pressure(cpu, "cpu");
  }

  /// From a table with a heading, `cpu user system`, and a line for each CPU.
  private JsonObject perCpu(JsonObject usage) {
    List<Json> kernel = new ArrayList<>();
    List<Json> user = new ArrayList<>();
    for (String line : text("cpuacct", "cpuacct.usage_all").split("\n")) {
      String[] fields = line.split(" ");
      if (fields.length != 3 || !fields[0].matches("[0-9]+")) continue;
      user.add(Json.ofUnsigned(Long.parseUnsignedLong(fields[1])));
      kernel.add(Json.ofUnsigned(Long.parseUnsignedLong(fields[2])));
    }
    if (kernel.isEmpty()) return usage;
    return usage
        .with("percpu_kernel", new JsonArray(kernel))
        .with("percpu_user", new JsonArray(user));
  }

  private JsonObject pressure(JsonObject object, String controller) {
    JsonObject pressure = JsonObject.EMPTY;
    for (Pressure line : values.pressure(controller))
      pressure =
          pressure.with(
              line.kind(),
              JsonObject.EMPTY
                  .with("avg10", number(line.avg10()))
                  .with("avg60", number(line.avg60()))
                  .with("avg300", number(line.avg300()))
                  .with("total", Json.ofUnsigned(line.total())));
    return pressure.isEmpty() ? object : object.with("psi", pressure);
  }

  private static Json number(BigDecimal value) {
    return new JsonNumber(value.stripTrailingZeros().toPlainString());
  }

  private JsonObject cpuset(boolean v2) {
    JsonObject set = JsonObject.EMPTY;
    Json cpus = ids(text("cpuset", v2 ? "cpuset.cpus.effective" : "cpuset.cpus"));
    if (cpus instanceof JsonArray list && !list.elements().isEmpty()) set = set.with("cpus", cpus);
    set = set.with("cpu_exclusive", Json.of(number("cpuset", "cpuset.cpu_exclusive")));
    Json mems = ids(text("cpuset", v2 ? "cpuset.mems.effective" : "cpuset.mems"));
    if (mems instanceof JsonArray list && !list.elements().isEmpty()) set = set.with("mems", mems);
    for (String name :
        List.of(
            "mem_hardwall",
            "mem_exclusive",
            "memory_migrate",
            "memory_spread_page",
            "memory_spread_slab",
            "memory_pressure",
            "sched_load_balance"))
      set = set.with(name, Json.of(number("cpuset", "cpuset." + name)));
    String level = text("cpuset", "cpuset.sched_relax_domain_level").strip();
    return set.with(
        "sched_relax_domain_level", Json.of(level.isEmpty() ? 0 : Long.parseLong(level)));
  }

  /// `0-2,5` as single numbers.
  private static Json ids(String list) {
    List<Json> ids = new ArrayList<>();
    for (String range : list.strip().split(",")) {
      String[] ends = range.split("-");
      if (!ends[0].matches("[0-9]+")) continue;
      for (int id = Integer.parseInt(ends[0]); id <= Integer.parseInt(ends[ends.length - 1]); id++)
        ids.add(Json.of(id));
    }
    return new JsonArray(ids);
  }

  private static JsonObject entry(long limit, long usage, long max, long failures) {
    JsonObject entry = JsonObject.EMPTY.with("limit", Json.ofUnsigned(limit));
    return put(put(entry, "usage", usage), "max", max).with("failcnt", Json.of(failures));
  }

  private @Nullable JsonObject entryV1(String prefix) {
    if (text("memory", prefix + "usage_in_bytes").isEmpty()) return null;
    return entry(
        number("memory", prefix + "limit_in_bytes"),
        number("memory", prefix + "usage_in_bytes"),
        number("memory", prefix + "max_usage_in_bytes"),
        number("memory", prefix + "failcnt"));
  }

  private JsonObject memoryV1() {
    Map<String, Long> stat = table("memory", "memory.stat");
    JsonObject memory = put(JsonObject.EMPTY, "cache", stat.getOrDefault("cache", 0L));
    String[][] names = {
      {"usage", "memory."},
      {"swap", "memory.memsw."},
      {"kernel", "memory.kmem."},
      {"kernelTCP", "memory.kmem.tcp."}
    };
    for (String[] name : names) {
      JsonObject entry = entryV1(name[1]);
      if (entry != null) memory = memory.with(name[0], entry);
    }
    return raw(memory, stat);
  }

  private JsonObject memoryV2() {
    Map<String, Long> stat = table("memory", "memory.stat");
    JsonObject memory = put(JsonObject.EMPTY, "cache", stat.getOrDefault("file", 0L));
    long limit = number("memory", "memory.max");
    long usage = number("memory", "memory.current");
    memory = memory.with("usage", entry(limit, usage, number("memory", "memory.peak"), 0));
    // as v1 counts it: memory and swap together
    long swap = number("memory", "memory.swap.max");
    long both =
        limit == CgroupValues.UNLIMITED || swap == CgroupValues.UNLIMITED
            ? CgroupValues.UNLIMITED
            : limit + swap;
    memory =
        memory.with("swap", entry(both, usage + number("memory", "memory.swap.current"), 0, 0));
    return pressure(raw(memory, stat), "memory");
  }

  private static JsonObject raw(JsonObject memory, Map<String, Long> stat) {
    JsonObject raw = JsonObject.EMPTY;
    for (Map.Entry<String, Long> each : stat.entrySet())
      raw = raw.with(each.getKey(), Json.ofUnsigned(each.getValue()));
    return raw.isEmpty() ? memory : memory.with("raw", raw);
  }

  private JsonObject pids() {
    JsonObject pids = put(JsonObject.EMPTY, "current", number("pids", "pids.current"));
    long limit = number("pids", "pids.max");
    return limit == CgroupValues.UNLIMITED ? pids : put(pids, "limit", limit);
  }

  /// Lines of `major:minor operation value`.
  private Json blockTable(String file) {
    List<Json> entries = new ArrayList<>();
    for (String line : text("blkio", file).split("\n")) {
      String[] fields = line.split("[: ]+");
      if (fields.length == 4 && fields[3].matches("[0-9]+"))
        entries.add(block(fields[0], fields[1], fields[2], fields[3]));
    }
    return new JsonArray(entries);
  }

  private static JsonObject block(String major, String minor, String operation, String value) {
    JsonObject entry = put(JsonObject.EMPTY, "major", Long.parseLong(major));
    entry = put(entry, "minor", Long.parseLong(minor)).with("op", Json.of(operation));
    return put(entry, "value", Long.parseUnsignedLong(value));
  }

  private JsonObject ioV1() {
    JsonObject io = JsonObject.EMPTY;
    String[][] names = {
      {"ioServiceBytesRecursive", "io_service_bytes_recursive", "throttle.io_service_bytes"},
      {"ioServicedRecursive", "io_serviced_recursive", "throttle.io_serviced"}
    };
    for (String[] name : names) {
      for (String file : List.of("bfq." + name[1], name[1], name[2])) {
        if (!(blockTable("blkio." + file) instanceof JsonArray list) || list.elements().isEmpty())
          continue;
        io = io.with(name[0], list);
        break;
      }
    }
    return io;
  }

  private JsonObject ioV2() {
    List<Json> bytes = new ArrayList<>();
    List<Json> operations = new ArrayList<>();
    for (String line : text("io", "io.stat").split("\n")) {
      String[] fields = line.split(" ");
      String[] device = fields[0].split(":");
      if (device.length != 2) continue;
      for (int i = 1; i < fields.length; i++) {
        String[] pair = fields[i].split("=");
        if (pair.length != 2 || !pair[1].matches("[0-9]+")) continue;
        String operation =
            pair[0].startsWith("r") ? "Read" : pair[0].startsWith("w") ? "Write" : "Discard";
        List<Json> list = pair[0].endsWith("bytes") ? bytes : operations;
        list.add(block(device[0], device[1], operation, pair[1]));
      }
    }
    JsonObject io = JsonObject.EMPTY;
    if (!bytes.isEmpty()) io = io.with("ioServiceBytesRecursive", new JsonArray(bytes));
    if (!operations.isEmpty()) io = io.with("ioServicedRecursive", new JsonArray(operations));
    return pressure(io, "io");
  }

  private JsonObject hugetlb(boolean v2) {
    JsonObject all = JsonObject.EMPTY;
    for (String name : values.pageSizes()) {
      String prefix = "hugetlb." + name + ".";
      String usage = v2 ? "current" : "usage_in_bytes";
      if (text("hugetlb", prefix + usage).isEmpty()) continue;
      JsonObject entry = put(JsonObject.EMPTY, "usage", number("hugetlb", prefix + usage));
      if (!v2) entry = put(entry, "max", number("hugetlb", prefix + "max_usage_in_bytes"));
      all =
          all.with(
              name, entry.with("failcnt", Json.of(v2 ? 0 : number("hugetlb", prefix + "failcnt"))));
    }
    return all;
  }
}

package io.jrun.runtime.cgroup;

import static io.jrun.runtime.cgroup.Plan.given;
import static io.jrun.runtime.cgroup.Plan.orZero;

import io.jrun.runtime.dbus.Value;
import io.jrun.runtime.dbus.VariantText;
import io.jrun.runtime.systemd.Property;
import io.jrun.specs.runtime.Resources;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A container's limits as properties of its scope (systemd.resource-control(5)), so that systemd
/// shows them, and keeps them when it writes a cgroup's files anew. It has not one for each limit,
/// and rounds some, so the files are written too. Pure.
final class ScopeProperties {
  private static final String ANNOTATION = "org.systemd.property.";
  private static final long UNLIMITED = -1;
  private static final long DEFAULT_PERIOD_MICROS = 100_000;
  private static final long MICROS = 1_000_000;

  /// systemd keeps CPU time per second as whole percents: 10 ms.
  private static final long PERCENT_MICROS = 10_000;

  private static final int HAS_QUOTA_PERIOD = 242;
  private static final int HAS_ALLOWED_CPUS = 244;
  private static final int HAS_CPU_IDLE = 252;

  private final boolean unified;
  private final int version;
  private final List<Property> properties = new ArrayList<>();

  private ScopeProperties(boolean unified, int version) {
    this.unified = unified;
    this.version = version;
  }

  /// What every scope of a container has.
  static List<Property> scope(ScopeName name, String id, int pid) {
    return List.of(
        new Property("Description", Value.string("jrun container " + id)),
        new Property("Slice", Value.string(name.slice())),
        new Property("Delegate", Value.bool(true)),
        new Property("PIDs", new Value.Array("u", List.of(Value.uint32(pid)))),
        // with them systemd hands the controllers down
        new Property("MemoryAccounting", Value.bool(true)),
        new Property("CPUAccounting", Value.bool(true)),
        new Property("IOAccounting", Value.bool(true)),
        new Property("TasksAccounting", Value.bool(true)),
        // not ended before the services of a shutdown
        new Property("DefaultDependencies", Value.bool(false)));
  }

  /// Those that annotations ask for, `org.systemd.property.NAME`, in GVariant's text form. A time
  /// may be given in seconds as `…Sec`.
  static List<Property> annotated(Map<String, String> annotations) {
    List<Property> properties = new ArrayList<>();
    annotations.forEach((key, text) -> {
      if (!key.startsWith(ANNOTATION)) return;
      String name = key.substring(ANNOTATION.length());
      if (!name.matches("[A-Za-z]{3,}"))
        throw new CgroupException("annotation " + key + ": invalid name of a property");
      try {
        Value value = VariantText.parse(text);
        if (name.endsWith("Sec") && !name.endsWith("USec")) {
          name = name.substring(0, name.length() - 3) + "USec";
          value = micros(value);
        }
        properties.add(new Property(name, value));
      } catch (IllegalArgumentException e) {
        throw new CgroupException("annotation " + key, e);
      }
    });
    return properties;
  }

  private static Value micros(Value seconds) {
    return switch (seconds) {
      case Value.Int(char type, long number) when number >= 0 ->
          Value.uint64(Math.multiplyExact(number, MICROS));
      case Value.Real(double number) when number >= 0 -> Value.uint64(Math.round(number * MICROS));
      default -> throw new IllegalArgumentException("no time in seconds");
    };
  }

  /// @param version of systemd
  /// @param created whether the scope is being made: what cannot be changed later comes too
  static List<Property> limits(Resources resources, boolean unified, int version, boolean created) {
    ScopeProperties all = new ScopeProperties(unified, version);
    if (resources.memory() != null) all.memory(resources.memory());
    if (resources.cpu() != null) all.cpu(resources.cpu());
    PidsLimit.of(resources)
        .ifPresent(limit -> all.number("TasksMax", limit.isUnlimited() ? UNLIMITED : limit.most()));
    if (resources.blockIo() != null) all.blockIo(resources.blockIo());
    if (unified) all.unified(resources.unified(), created);
    return all.properties;
  }

  private void number(String name, long value) {
    properties.add(new Property(name, Value.uint64(value)));
  }

  private void memory(Resources.Memory memory) {
    if (!unified) {
      if (given(memory.limit())) number("MemoryLimit", orZero(memory.limit()));
      return;
    }
    if (given(memory.limit())) number("MemoryMax", orZero(memory.limit()));
    if (given(memory.reservation())) number("MemoryLow", orZero(memory.reservation()));
    String swap = PlanV2.swap(memory);
    if (!swap.isEmpty()) number("MemorySwapMax", bytes(swap));
  }

  private void cpu(Resources.Cpu cpu) {
    boolean idle = unified && version >= HAS_CPU_IDLE && cpu.idle() != null && cpu.idle() == 1;
    if (idle) number("CPUWeight", 0); // that is how it says idle
    else if (given(cpu.shares()))
      number(
          unified ? "CPUWeight" : "CPUShares",
          unified ? PlanV2.weight(orZero(cpu.shares())) : orZero(cpu.shares()));
    quota(orZero(cpu.quota()), orZero(cpu.period()));
    cpuset("AllowedCPUs", cpu.cpus());
    cpuset("AllowedMemoryNodes", cpu.mems());
  }

  private void quota(long quota, long period) {
    if (quota == 0 && period == 0) return;
    if (period != 0 && version >= HAS_QUOTA_PERIOD) number("CPUQuotaPeriodUSec", period);
    long perSecond = UNLIMITED;
    if (quota > 0) {
      long each = quota * MICROS / (period == 0 ? DEFAULT_PERIOD_MICROS : period);
      perSecond = (each + PERCENT_MICROS - 1) / PERCENT_MICROS * PERCENT_MICROS;
    }
    number("CPUQuotaPerSecUSec", perSecond);
  }

  /// A set as bits, the first in the lowest bit of the first byte.
  private void cpuset(String name, @Nullable String list) {
    if (!unified || version < HAS_ALLOWED_CPUS || list == null || list.isBlank()) return;
    java.util.BitSet bits = new java.util.BitSet();
    for (String range : list.strip().split(",")) {
      String[] ends = range.strip().split("-", 2);
      try {
        int first = Integer.parseInt(ends[0]);
        int last = Integer.parseInt(ends[ends.length - 1]);
        if (last < first || last > 0xffff)
          throw new CgroupException("invalid list of CPUs or nodes: " + list);
        bits.set(first, last + 1);
      } catch (NumberFormatException e) {
        throw new CgroupException("invalid list of CPUs or nodes: " + list, e);
      }
    }
    properties.add(new Property(name, Value.bytes(bits.toByteArray())));
  }

  private void blockIo(Resources.BlockIo io) {
    if (io.weight() == null || io.weight() == 0) return;
    if (unified) number("IOWeight", PlanV2.ioWeight(io.weight()));
    else number("BlockIOWeight", io.weight());
  }

  /// Files of cgroup v2 that a property stands for.
  private void unified(Map<String, String> files, boolean created) {
    files.forEach((file, text) -> {
      String value = text.strip();
      try {
        switch (file) {
          case "cpu.idle" -> {
            if (value.equals("1") && version >= HAS_CPU_IDLE) number("CPUWeight", 0);
          }
          case "cpu.weight" -> {
            if (!"1".equals(files.getOrDefault("cpu.idle", "").strip()))
              number("CPUWeight", Long.parseLong(value));
          }
          case "cpu.max" -> {
            String[] both = value.split("\\s+");
            quota(
                both[0].equals("max") ? -1 : Long.parseLong(both[0]),
                both.length > 1 ? Long.parseLong(both[1]) : DEFAULT_PERIOD_MICROS);
          }
          case "cpuset.cpus" -> cpuset("AllowedCPUs", value);
          case "cpuset.mems" -> cpuset("AllowedMemoryNodes", value);
          case "memory.min" -> number("MemoryMin", bytes(value));
          case "memory.low" -> number("MemoryLow", bytes(value));
          case "memory.high" -> number("MemoryHigh", bytes(value));
          case "memory.max" -> number("MemoryMax", bytes(value));
          case "memory.swap.max" -> number("MemorySwapMax", bytes(value));
          case "pids.max" -> number("TasksMax", bytes(value));
          case "memory.oom.group" -> {
            if (created && version >= 253)
              properties.add(
                  new Property("OOMPolicy", Value.string(value.equals("1") ? "kill" : "continue")));
          }
          default -> {} // it has none
        }
      } catch (NumberFormatException e) {
        throw new CgroupException(
            "unified resource \"" + file + "\" has the value \"" + value + "\"", e);
      }
    });
  }

  private static long bytes(String value) {
    return value.equals("max") ? UNLIMITED : Long.parseLong(value);
  }
}

package io.jrun.runtime.cgroup;

import static io.jrun.runtime.cgroup.Plan.given;
import static io.jrun.runtime.cgroup.Plan.orZero;

import io.jrun.specs.runtime.Resources;
import java.util.List;
import java.util.Map;

/// The writes of [Plan] on a machine that has only cgroup v2; device rules are a [DeviceProgram]
/// there.
final class PlanV2 {
  private static final long DEFAULT_PERIOD_MICROS = 100_000;

  private final List<Write> writes;

  PlanV2(List<Write> writes) {
    this.writes = writes;
  }

  void add(Resources resources) {
    PidsLimit.of(resources).ifPresent(limit -> add("pids.max", limit.text()));
    if (resources.memory() != null) memory(resources.memory());
    if (resources.blockIo() != null) blockIo(resources.blockIo());
    if (resources.cpu() != null) cpu(resources.cpu());
    for (Resources.HugepageLimit limit : resources.hugepageLimits()) {
      String value = Long.toUnsignedString(limit.limit());
      add("hugetlb." + limit.pageSize() + ".max", value);
      writes.add(new Write("", "hugetlb." + limit.pageSize() + ".rsvd.max", value, Write.NOTHING));
    }
    if (resources.network() != null
        && (given(resources.network().classId()) || !resources.network().priorities().isEmpty())) {
      throw new CgroupException(
          (given(resources.network().classId()) ? "net_cls" : "net_prio")
              + " cgroup is not mounted: cgroup v2 has none");
    }
    for (Map.Entry<String, Resources.Rdma> device : resources.rdma().entrySet()) {
      add("rdma.max", Plan.rdma(device.getKey(), device.getValue()));
    }
    for (Map.Entry<String, String> file : resources.unified().entrySet()) {
      if (file.getKey().contains("/"))
        throw new CgroupException(
            "unified resource \"" + file.getKey() + "\" must be a file name (no slashes)");
      for (String line : file.getValue().split("\n")) add(file.getKey(), line);
    }
  }

  /// cpu.weight (1 to 10000, 100 by default) of cpu.shares (2 to 262144, 1024 by default); runc and
  /// crun agree on this curve.
  static long weight(long shares) {
    if (Long.compareUnsigned(shares, 2) <= 0) return 1;
    if (Long.compareUnsigned(shares, 262144) >= 0) return 10000;
    double l = Math.log((double) shares) / Math.log(2);
    return (long) Math.ceil(Math.pow(10, (l * l + 125 * l) / 612.0 - 7.0 / 34.0));
  }

  /// io.weight (1 to 10000) of blkio's weight (10 to 1000).
  static long ioWeight(long weight) {
    return 1 + (weight - 10) * 9999 / 990;
  }

  /// memory.swap.max, which is swap alone, of the spec's memory plus swap; empty leaves it.
  static String swap(Resources.Memory memory) {
    long limit = orZero(memory.limit());
    long swap = orZero(memory.swap());
    if (swap == 0) return limit == -1 ? "max" : "";
    if (swap == -1) return "max";
    if (limit == swap) return "0";
    if (limit == 0 || limit == -1)
      throw new CgroupException("unable to set swap limit without memory limit");
    if (limit < 0) throw new CgroupException("invalid memory value: " + limit);
    if (swap < limit) throw new CgroupException("memory+swap limit should be >= memory limit");
    return Long.toString(swap - limit);
  }

  private void memory(Resources.Memory memory) {
    String swap = swap(memory);
    boolean asWithout = swap.equals("max") || swap.equals("0");
    if (!swap.isEmpty())
      writes.add(new Write("", "memory.swap.max", swap, asWithout ? Write.NOTHING : null));
    if (given(memory.limit())) add("memory.max", orMax(orZero(memory.limit())));
    if (given(memory.reservation())) add("memory.low", orMax(orZero(memory.reservation())));
  }

  private void cpu(Resources.Cpu cpu) {
    if (given(cpu.realtimePeriod()) || given(cpu.realtimeRuntime()))
      throw new CgroupException("realtime limits are not supported on cgroup v2");
    boolean idle = cpu.idle() != null && cpu.idle() == 1;
    if (cpu.idle() != null) add("cpu.idle", Long.toString(cpu.idle()));
    if (given(cpu.shares()) && !idle)
      add("cpu.weight", Long.toString(weight(orZero(cpu.shares()))));
    if (cpu.burst() != null) add("cpu.max.burst", Long.toString(cpu.burst()));
    if (given(cpu.quota()) || given(cpu.period())) {
      String quota = cpu.quota() != null && cpu.quota() > 0 ? Long.toString(cpu.quota()) : "max";
      add(
          "cpu.max",
          quota + " " + (given(cpu.period()) ? orZero(cpu.period()) : DEFAULT_PERIOD_MICROS));
    }
    if (cpu.cpus() != null && !cpu.cpus().isEmpty()) add("cpuset.cpus", cpu.cpus());
    if (cpu.mems() != null && !cpu.mems().isEmpty()) add("cpuset.mems", cpu.mems());
  }

  private void blockIo(Resources.BlockIo io) {
    if (io.weight() != null && io.weight() != 0) {
      writes.add(
          new Write(
              "",
              "io.bfq.weight",
              Integer.toString(io.weight()),
              new Write("", "io.weight", Long.toString(ioWeight(io.weight())))));
    }
    for (Resources.WeightDevice device : io.weightDevice()) {
      if (device.weight() != null)
        add("io.bfq.weight", device.major() + ":" + device.minor() + " " + device.weight());
    }
    throttle("rbps", io.throttleReadBpsDevice());
    throttle("wbps", io.throttleWriteBpsDevice());
    throttle("riops", io.throttleReadIopsDevice());
    throttle("wiops", io.throttleWriteIopsDevice());
  }

  private void throttle(String key, List<Resources.ThrottleDevice> devices) {
    for (Resources.ThrottleDevice device : devices) {
      // io.max has no zero: that is how the spec and v1 say unlimited.
      String rate = device.rate() == 0 ? "max" : Long.toUnsignedString(device.rate());
      add("io.max", device.major() + ":" + device.minor() + " " + key + "=" + rate);
    }
  }

  private static String orMax(long bytes) {
    return bytes == -1 ? "max" : Long.toString(bytes);
  }

  private void add(String file, String value) {
    writes.add(new Write("", file, value));
  }
}

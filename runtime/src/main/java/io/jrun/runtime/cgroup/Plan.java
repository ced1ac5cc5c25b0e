package io.jrun.runtime.cgroup;

import io.jrun.specs.runtime.Resources;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// The writes that give a cgroup its limits, in their order; pure. What 0 or null means in the
/// spec's numbers is what it means to runc: leave it as it is.
final class Plan {
  /// What a plan depends on besides the configuration: null limits are those of a cgroup just made,
  /// which are unlimited.
  record Current(boolean created, @Nullable Long memoryLimit) {
    static final Current CREATED = new Current(true, null);
  }

  private final Hierarchies hierarchies;
  private final List<Write> writes = new ArrayList<>();

  private Plan(Hierarchies hierarchies) {
    this.hierarchies = hierarchies;
  }

  static List<Write> of(Resources resources, Hierarchies hierarchies, Current current) {
    Plan plan = new Plan(hierarchies);
    if (hierarchies.unified()) {
      new PlanV2(plan.writes).add(resources);
    } else {
      plan.devices(resources, current);
      if (resources.cpu() != null) plan.cpu(resources.cpu());
      if (resources.memory() != null) plan.memory(resources.memory(), current);
      PidsLimit.of(resources).ifPresent(limit -> plan.add("pids", "pids.max", limit.text()));
      if (resources.blockIo() != null) plan.blockIo(resources.blockIo());
      plan.others(resources);
    }
    return List.copyOf(plan.writes);
  }

  static boolean given(@Nullable Long number) {
    return orZero(number) != 0;
  }

  static long orZero(@Nullable Long number) {
    return number == null ? 0 : number;
  }

  private void devices(Resources resources, Current current) {
    if (!current.created()) return;
    List<DeviceRules.Rule> rules = DeviceRules.of(resources.devices());
    boolean allowsAll = rules.size() == 1 && rules.getFirst().allow();
    if (allowsAll && hierarchies.of("devices").isEmpty()) return;
    writes.addAll(DeviceRules.writes(rules, key("devices")));
  }

  private void cpu(Resources.Cpu cpu) {
    boolean idle = cpu.idle() != null && cpu.idle() == 1;
    if (cpu.idle() != null) add("cpu", "cpu.idle", cpu.idle());
    // An idle cgroup has its lowest shares, and the kernel refuses others.
    if (!idle) addGiven("cpu", "cpu.shares", cpu.shares());
    if (cpu.burst() != null) add("cpu", "cpu.cfs_burst_us", cpu.burst());
    addGiven("cpu", "cpu.cfs_period_us", cpu.period());
    addGiven("cpu", "cpu.cfs_quota_us", cpu.quota());
    addGiven("cpu", "cpu.rt_period_us", cpu.realtimePeriod());
    addGiven("cpu", "cpu.rt_runtime_us", cpu.realtimeRuntime());
    if (cpu.cpus() != null && !cpu.cpus().isEmpty()) add("cpuset", "cpuset.cpus", cpu.cpus());
    if (cpu.mems() != null && !cpu.mems().isEmpty()) add("cpuset", "cpuset.mems", cpu.mems());
  }

  /// memory+swap may at no moment be below memory: which is written first depends on which way they
  /// go.
  private void memory(Resources.Memory memory, Current current) {
    long limit = orZero(memory.limit());
    long swap = orZero(memory.swap());
    boolean unlimited = limit == -1 && swap == 0 && !current.created();
    if (unlimited)
      writes.add(new Write(key("memory"), "memory.memsw.limit_in_bytes", "-1", Write.NOTHING));
    boolean swapFirst =
        limit != 0
            && swap != 0
            && current.memoryLimit() != null
            && (swap == -1 || current.memoryLimit() < swap);
    if (swapFirst) add("memory", "memory.memsw.limit_in_bytes", swap);
    addGiven("memory", "memory.limit_in_bytes", limit);
    if (!swapFirst) addGiven("memory", "memory.memsw.limit_in_bytes", swap);
    addGiven("memory", "memory.soft_limit_in_bytes", memory.reservation());
    if (memory.swappiness() != null) {
      if (Long.compareUnsigned(memory.swappiness(), 100) > 0) {
        throw new CgroupException(
            "invalid memory swappiness value: "
                + Long.toUnsignedString(memory.swappiness())
                + " (valid range is 0-100)");
      }
      add("memory", "memory.swappiness", memory.swappiness());
    }
    if (Boolean.TRUE.equals(memory.disableOomKiller())) add("memory", "memory.oom_control", "1");
  }

  private void blockIo(Resources.BlockIo io) {
    if (io.weight() != null && io.weight() != 0) weight("weight", Integer.toString(io.weight()));
    if (io.leafWeight() != null && io.leafWeight() != 0)
      add("blkio", "blkio.leaf_weight", Integer.toString(io.leafWeight()));
    for (Resources.WeightDevice device : io.weightDevice()) {
      String numbers = device.major() + ":" + device.minor() + " ";
      if (device.weight() != null) weight("weight_device", numbers + device.weight());
      if (device.leafWeight() != null)
        add("blkio", "blkio.leaf_weight_device", numbers + device.leafWeight());
    }
    throttle("blkio.throttle.read_bps_device", io.throttleReadBpsDevice());
    throttle("blkio.throttle.write_bps_device", io.throttleWriteBpsDevice());
    throttle("blkio.throttle.read_iops_device", io.throttleReadIopsDevice());
    throttle("blkio.throttle.write_iops_device", io.throttleWriteIopsDevice());
  }

  /// The weights are CFQ's, or since Linux 5.0 BFQ's.
  private void weight(String file, String value) {
    String key = key("blkio");
    writes.add(new Write(key, "blkio." + file, value, new Write(key, "blkio.bfq." + file, value)));
  }

  private void throttle(String file, List<Resources.ThrottleDevice> devices) {
    for (Resources.ThrottleDevice device : devices) {
      add(
          "blkio",
          file,
          device.major() + ":" + device.minor() + " " + Long.toUnsignedString(device.rate()));
    }
  }

  private void others(Resources resources) {
    for (Resources.HugepageLimit limit : resources.hugepageLimits()) {
      String value = Long.toUnsignedString(limit.limit());
      add("hugetlb", "hugetlb." + limit.pageSize() + ".limit_in_bytes", value);
      writes.add(
          new Write(
              key("hugetlb"),
              "hugetlb." + limit.pageSize() + ".rsvd.limit_in_bytes",
              value,
              Write.NOTHING));
    }
    if (resources.network() != null) {
      addGiven("net_cls", "net_cls.classid", resources.network().classId());
      for (Resources.InterfacePriority priority : resources.network().priorities()) {
        add("net_prio", "net_prio.ifpriomap", priority.name() + " " + priority.priority());
      }
    }
    for (String device : resources.rdma().keySet())
      add("rdma", "rdma.max", rdma(device, Objects.requireNonNull(resources.rdma().get(device))));
    if (!resources.unified().isEmpty())
      throw new CgroupException("invalid configuration: cannot use unified on cgroup v1");
  }

  static String rdma(String device, Resources.Rdma limit) {
    return device
        + (limit.hcaHandles() == null ? "" : " hca_handle=" + limit.hcaHandles())
        + (limit.hcaObjects() == null ? "" : " hca_object=" + limit.hcaObjects());
  }

  private void addGiven(String controller, String file, @Nullable Long value) {
    if (given(value)) add(controller, file, orZero(value));
  }

  private void add(String controller, String file, long value) {
    // cpu.shares, periods and swappiness are uint64; no value above 2^63 is valid for any of them.
    add(controller, file, Long.toString(value));
  }

  private void add(String controller, String file, String value) {
    writes.add(new Write(key(controller), file, value));
  }

  private String key(String controller) {
    return hierarchies
        .of(controller)
        .map(Hierarchy::key)
        .orElseThrow(() -> new CgroupException(controller + " cgroup is not mounted"));
  }
}

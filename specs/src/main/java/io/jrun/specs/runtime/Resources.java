package io.jrun.specs.runtime;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.JsonWriter;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The limits of the container's cgroup; also the document that `update --resources` reads.
public record Resources(
    List<DeviceRule> devices,
    @Nullable Memory memory,
    @Nullable Cpu cpu,
    @Nullable Pids pids,
    @Nullable BlockIo blockIo,
    List<HugepageLimit> hugepageLimits,
    @Nullable Network network,
    Map<String, Rdma> rdma,
    Map<String, String> unified,
    Json.JsonObject unknown) {
  public static final Resources NONE =
      new Resources(
          List.of(),
          null,
          null,
          null,
          null,
          List.of(),
          null,
          Map.of(),
          Map.of(),
          Json.JsonObject.EMPTY);

  static final String DOCUMENT = "resources.json";

  public static Resources read(byte[] json) {
    return JsonReader.read(DOCUMENT, json, Resources::read);
  }

  public Resources {
    devices = List.copyOf(devices);
    hugepageLimits = List.copyOf(hugepageLimits);
    rdma = Collections.unmodifiableMap(new LinkedHashMap<>(rdma));
    unified = Collections.unmodifiableMap(new LinkedHashMap<>(unified));
  }

  static Resources read(JsonReader r) {
    return new Resources(
        r.objects("devices", DeviceRule::read),
        r.object("memory", Memory::read),
        r.object("cpu", Cpu::read),
        r.object("pids", Pids::read),
        r.object("blockIO", BlockIo::read),
        r.objects("hugepageLimits", HugepageLimit::read),
        r.object("network", Network::read),
        r.objectMap("rdma", Rdma::read),
        r.stringMap("unified"),
        r.unknown());
  }

  public Resources withDevices(List<DeviceRule> devices) {
    return new Resources(
        devices, memory, cpu, pids, blockIo, hugepageLimits, network, rdma, unified, unknown);
  }

  public Resources withMemory(@Nullable Memory memory) {
    return new Resources(
        devices, memory, cpu, pids, blockIo, hugepageLimits, network, rdma, unified, unknown);
  }

  public Resources withCpu(@Nullable Cpu cpu) {
    return new Resources(
        devices, memory, cpu, pids, blockIo, hugepageLimits, network, rdma, unified, unknown);
  }

  public Resources withPids(@Nullable Pids pids) {
    return new Resources(
        devices, memory, cpu, pids, blockIo, hugepageLimits, network, rdma, unified, unknown);
  }

  public Json.JsonObject toJson() {
    return new JsonWriter(unknown)
        .objects("devices", devices, DeviceRule::toJson)
        .member("memory", memory == null ? null : memory.toJson())
        .member("cpu", cpu == null ? null : cpu.toJson())
        .member("pids", pids == null ? null : pids.toJson())
        .member("blockIO", blockIo == null ? null : blockIo.toJson())
        .objects("hugepageLimits", hugepageLimits, HugepageLimit::toJson)
        .member("network", network == null ? null : network.toJson())
        .objectMap("rdma", rdma, Rdma::toJson)
        .stringMap("unified", unified)
        .object();
  }

  /// Allows or denies devices; a null type, major or minor means all, access is of `rwm`.
  public record DeviceRule(
      boolean allow,
      @Nullable String type,
      @Nullable Long major,
      @Nullable Long minor,
      @Nullable String access,
      Json.JsonObject unknown) {
    static DeviceRule read(JsonReader r) {
      return new DeviceRule(
          r.requiredBool("allow"),
          r.optionalString("type"),
          r.optionalInt64("major"),
          r.optionalInt64("minor"),
          r.optionalString("access"),
          r.unknown());
    }

    public Json.JsonObject toJson() {
      return new JsonWriter(unknown)
          .optionalBool("allow", allow)
          .string("type", type)
          .optionalNumber("major", major)
          .optionalNumber("minor", minor)
          .string("access", access)
          .object();
    }
  }

  /// Bytes, of which -1 means unlimited; swap is memory plus swap.
  public record Memory(
      @Nullable Long limit,
      @Nullable Long reservation,
      @Nullable Long swap,
      @Nullable Long kernel,
      @Nullable Long kernelTcp,
      @Nullable Long swappiness,
      @Nullable Boolean disableOomKiller,
      @Nullable Boolean useHierarchy,
      @Nullable Boolean checkBeforeUpdate,
      Json.JsonObject unknown) {
    static Memory read(JsonReader r) {
      return new Memory(
          r.optionalInt64("limit"),
          r.optionalInt64("reservation"),
          r.optionalInt64("swap"),
          r.optionalInt64("kernel"),
          r.optionalInt64("kernelTCP"),
          r.optionalUint64("swappiness"),
          r.optionalBool("disableOOMKiller"),
          r.optionalBool("useHierarchy"),
          r.optionalBool("checkBeforeUpdate"),
          r.unknown());
    }

    public Json.JsonObject toJson() {
      return new JsonWriter(unknown)
          .optionalNumber("limit", limit)
          .optionalNumber("reservation", reservation)
          .optionalNumber("swap", swap)
          .optionalNumber("kernel", kernel)
          .optionalNumber("kernelTCP", kernelTcp)
          .optionalUnsigned("swappiness", swappiness)
          .optionalBool("disableOOMKiller", disableOomKiller)
          .optionalBool("useHierarchy", useHierarchy)
          .optionalBool("checkBeforeUpdate", checkBeforeUpdate)
          .object();
    }
  }

  /// Periods and runtimes are microseconds; cpus and mems are lists of cpuset(7).
  public record Cpu(
      @Nullable Long shares,
      @Nullable Long quota,
      @Nullable Long burst,
      @Nullable Long period,
      @Nullable Long realtimeRuntime,
      @Nullable Long realtimePeriod,
      @Nullable String cpus,
      @Nullable String mems,
      @Nullable Long idle,
      Json.JsonObject unknown) {
    static Cpu read(JsonReader r) {
      return new Cpu(
          r.optionalUint64("shares"),
          r.optionalInt64("quota"),
          r.optionalUint64("burst"),
          r.optionalUint64("period"),
          r.optionalInt64("realtimeRuntime"),
          r.optionalUint64("realtimePeriod"),
          r.optionalString("cpus"),
          r.optionalString("mems"),
          r.optionalInt64("idle"),
          r.unknown());
    }

    public Json.JsonObject toJson() {
      return new JsonWriter(unknown)
          .optionalUnsigned("shares", shares)
          .optionalNumber("quota", quota)
          .optionalUnsigned("burst", burst)
          .optionalUnsigned("period", period)
          .optionalNumber("realtimeRuntime", realtimeRuntime)
          .optionalUnsigned("realtimePeriod", realtimePeriod)
          .string("cpus", cpus)
          .string("mems", mems)
          .optionalNumber("idle", idle)
          .object();
    }
  }

  /// The number of tasks; below 0 means unlimited.
  public record Pids(@Nullable Long limit, Json.JsonObject unknown) {
    static Pids read(JsonReader r) {
      return new Pids(r.optionalInt64("limit"), r.unknown());
    }

    public Json.JsonObject toJson() {
      return new JsonWriter(unknown).optionalNumber("limit", limit).object();
    }
  }

  /// Weights and rates of block devices.
  public record BlockIo(
      @Nullable Integer weight,
      @Nullable Integer leafWeight,
      List<WeightDevice> weightDevice,
      List<ThrottleDevice> throttleReadBpsDevice,
      List<ThrottleDevice> throttleWriteBpsDevice,
      List<ThrottleDevice> throttleReadIopsDevice,
      List<ThrottleDevice> throttleWriteIopsDevice,
      Json.JsonObject unknown) {
    public BlockIo {
      weightDevice = List.copyOf(weightDevice);
      throttleReadBpsDevice = List.copyOf(throttleReadBpsDevice);
      throttleWriteBpsDevice = List.copyOf(throttleWriteBpsDevice);
      throttleReadIopsDevice = List.copyOf(throttleReadIopsDevice);
      throttleWriteIopsDevice = List.copyOf(throttleWriteIopsDevice);
    }

    static BlockIo read(JsonReader r) {
      return new BlockIo(
          r.optionalUint16("weight"),
          r.optionalUint16("leafWeight"),
          r.objects("weightDevice", WeightDevice::read),
          r.objects("throttleReadBpsDevice", ThrottleDevice::read),
          r.objects("throttleWriteBpsDevice", ThrottleDevice::read),
          r.objects("throttleReadIOPSDevice", ThrottleDevice::read),
          r.objects("throttleWriteIOPSDevice", ThrottleDevice::read),
          r.unknown());
    }

    public Json.JsonObject toJson() {
      return new JsonWriter(unknown)
          .optionalNumber("weight", weight)
          .optionalNumber("leafWeight", leafWeight)
          .objects("weightDevice", weightDevice, WeightDevice::toJson)
          .objects("throttleReadBpsDevice", throttleReadBpsDevice, ThrottleDevice::toJson)
          .objects("throttleWriteBpsDevice", throttleWriteBpsDevice, ThrottleDevice::toJson)
          .objects("throttleReadIOPSDevice", throttleReadIopsDevice, ThrottleDevice::toJson)
          .objects("throttleWriteIOPSDevice", throttleWriteIopsDevice, ThrottleDevice::toJson)
          .object();
    }
  }

  /// The weights of one device.
  public record WeightDevice(
      long major,
      long minor,
      @Nullable Integer weight,
      @Nullable Integer leafWeight,
      Json.JsonObject unknown) {
    static WeightDevice read(JsonReader r) {
      return new WeightDevice(
          r.requiredInt64("major"),
          r.requiredInt64("minor"),
          r.optionalUint16("weight"),
          r.optionalUint16("leafWeight"),
          r.unknown());
    }

    public Json.JsonObject toJson() {
      return new JsonWriter(unknown)
          .optionalNumber("major", major)
          .optionalNumber("minor", minor)
          .optionalNumber("weight", weight)
          .optionalNumber("leafWeight", leafWeight)
          .object();
    }
  }

  /// The rate of one device: uint64 bytes or operations a second.
  public record ThrottleDevice(long major, long minor, long rate, Json.JsonObject unknown) {
    static ThrottleDevice read(JsonReader r) {
      return new ThrottleDevice(
          r.requiredInt64("major"), r.requiredInt64("minor"), r.uint64("rate"), r.unknown());
    }

    public Json.JsonObject toJson() {
      return new JsonWriter(unknown)
          .optionalNumber("major", major)
          .optionalNumber("minor", minor)
          .unsigned("rate", rate)
          .object();
    }
  }

  /// The limit in bytes (uint64) of one page size such as `2MB`.
  public record HugepageLimit(String pageSize, long limit, Json.JsonObject unknown) {
    static HugepageLimit read(JsonReader r) {
      return new HugepageLimit(r.string("pageSize"), r.requiredUint64("limit"), r.unknown());
    }

    public Json.JsonObject toJson() {
      return new JsonWriter(unknown)
          .string("pageSize", pageSize)
          .optionalUnsigned("limit", limit)
          .object();
    }
  }

  /// net_cls and net_prio of cgroup v1.
  public record Network(
      @Nullable Long classId, List<InterfacePriority> priorities, Json.JsonObject unknown) {
    public Network {
      priorities = List.copyOf(priorities);
    }

    static Network read(JsonReader r) {
      return new Network(
          r.optionalUint32("classID"),
          r.objects("priorities", InterfacePriority::read),
          r.unknown());
    }

    public Json.JsonObject toJson() {
      return new JsonWriter(unknown)
          .optionalNumber("classID", classId)
          .objects("priorities", priorities, InterfacePriority::toJson)
          .object();
    }
  }

  /// The priority of what leaves through one interface.
  public record InterfacePriority(String name, long priority, Json.JsonObject unknown) {
    static InterfacePriority read(JsonReader r) {
      return new InterfacePriority(r.string("name"), r.requiredUint32("priority"), r.unknown());
    }

    public Json.JsonObject toJson() {
      return new JsonWriter(unknown)
          .string("name", name)
          .optionalNumber("priority", priority)
          .object();
    }
  }

  /// The limits of one RDMA device.
  public record Rdma(
      @Nullable Long hcaHandles, @Nullable Long hcaObjects, Json.JsonObject unknown) {
    static Rdma read(JsonReader r) {
      return new Rdma(r.optionalUint32("hcaHandles"), r.optionalUint32("hcaObjects"), r.unknown());
    }

    public Json.JsonObject toJson() {
      return new JsonWriter(unknown)
          .optionalNumber("hcaHandles", hcaHandles)
          .optionalNumber("hcaObjects", hcaObjects)
          .object();
    }
  }
}

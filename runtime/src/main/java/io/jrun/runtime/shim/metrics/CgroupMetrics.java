package io.jrun.runtime.shim.metrics;

import io.jrun.runtime.cgroup.CgroupValues;
import io.jrun.specs.proto.ProtoWriter;
import io.jrun.specs.task.AnyValue;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// The statistics of a task, as the answer to Stats carries them: of v1 where any hierarchy of v1
/// is mounted, as the runc shim decides it.
public final class CgroupMetrics {
  static final String V1 = "io.containerd.cgroups.v1.Metrics";
  static final String V2 = "io.containerd.cgroups.v2.Metrics";

  private CgroupMetrics() {}

  public static AnyValue read(CgroupValues values) {
    return values.isV2()
        ? new AnyValue(V2, new MetricsV2(values).toProto().toBytes())
        : new AnyValue(V1, new MetricsV1(values, diskstats()).toProto().toBytes());
  }

  private static String diskstats() {
    try {
      return Files.readString(Path.of("/proc/diskstats"));
    } catch (IOException e) {
      return ""; // the devices stay without names
    }
  }

  /// `rdma.current` and `rdma.max`: lines of `device hca_handle=N hca_object=N`, where `max` is the
  /// largest number.
  static ProtoWriter rdma(CgroupValues values) {
    ProtoWriter rdma = new ProtoWriter();
    String[] files = {"rdma.current", "rdma.max"};
    for (int i = 0; i < files.length; i++) {
      for (String line : values.text("rdma", files[i]).split("\n")) {
        String[] fields = line.split("[ =]");
        if (fields.length != 5) continue;
        rdma.message(
            i + 1,
            new ProtoWriter()
                .string(1, fields[0])
                .uint32(2, number(fields[2]))
                .uint32(3, number(fields[4])));
      }
    }
    return rdma;
  }

  private static int number(String text) {
    return text.equals("max") ? -1 : Integer.parseUnsignedInt(text);
  }
}

package io.jrun.runtime.container;

import io.jrun.kernel.Batch;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.Stat;
import io.jrun.specs.runtime.Device;
import java.util.ArrayList;
import java.util.List;

/// What init sees at the paths of linux.devices: an image may have had something there, which must
/// be just that device.
final class DeviceNodes {
  /// Every container has a link to its own devpts there, also one that is given all devices of the
  /// host, as privileged ones of Kubernetes are.
  private static final String PTMX = "/dev/ptmx";

  private final List<Device> devices;
  private final List<Pending<Stat>> seen = new ArrayList<>();

  private DeviceNodes(List<Device> devices) {
    this.devices = devices;
  }

  /// Asked in the new root.
  static DeviceNodes ask(Batch batch, List<Device> devices) {
    DeviceNodes nodes =
        new DeviceNodes(devices.stream().filter(d -> !d.cleanPath().equals(PTMX)).toList());
    for (Device device : nodes.devices)
      nodes.seen.add(
          batch.attempt(
              new FileCall.Statx(
                  Descriptor.CWD, device.cleanPath(), FileCall.AT_SYMLINK_NOFOLLOW)));
    return nodes;
  }

  void check(Results results) {
    for (int i = 0; i < devices.size(); i++) {
      Device device = devices.get(i);
      if (!results.succeeded(seen.get(i)) || !matches(device, results.of(seen.get(i))))
        throw new ContainerException(
            "/linux/devices: "
                + device.path()
                + ": a file that is not the requested device exists there");
    }
  }

  private static boolean matches(Device device, Stat stat) {
    int type =
        switch (device.type()) {
          case "b" -> Stat.S_IFBLK;
          case "p" -> Stat.S_IFIFO;
          default -> Stat.S_IFCHR;
        };
    if ((stat.mode() & Stat.S_IFMT) != type) return false;
    return type == Stat.S_IFIFO
        || stat.rdevMajor() == device.major() && stat.rdevMinor() == device.minor();
  }
}

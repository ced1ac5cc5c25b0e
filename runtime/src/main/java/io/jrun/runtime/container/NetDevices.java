package io.jrun.runtime.container;

import io.jrun.cni.netlink.Addresses;
import io.jrun.cni.netlink.Link;
import io.jrun.cni.netlink.Links;
import io.jrun.cni.netlink.NetlinkException;
import io.jrun.cni.netlink.NetlinkSocket;
import io.jrun.cni.netlink.Request;
import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.specs.runtime.NetDevice;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// linux.netDevices: moves network devices from the client's network namespace into the
/// container's, with their permanent global addresses, which the kernel drops on the way, and
/// brings them up. When the namespace ends, the kernel takes physical devices back and deletes
/// virtual ones.
final class NetDevices {
  private NetDevices() {}

  /// @param init is in the network namespace already
  static void move(
      Kernel kernel,
      HelperKernel client,
      HelperKernel init,
      int initPid,
      Map<String, NetDevice> devices) {
    try (NetlinkSocket host = NetlinkSocket.in(client, kernel);
        NetlinkSocket container = NetlinkSocket.in(init, kernel);
        OwnedDescriptor namespace = namespace(client, initPid)) {
      devices.forEach((name, device) -> {
        String target = device.name() == null || device.name().isEmpty() ? name : device.name();
        try {
          move(host, container, name, target, namespace.number());
        } catch (NetlinkException e) {
          throw new ContainerException("net device " + name, e);
        }
      });
    }
  }

  /// Opened by the client, in whose pid namespace the pid is.
  private static OwnedDescriptor namespace(HelperKernel client, int initPid) {
    int flags = FileCall.O_RDONLY | FileCall.O_CLOEXEC;
    Batch batch = new Batch();
    Pending<Descriptor> opened =
        batch.add(
            new FileCall.Openat(Descriptor.CWD, "/proc/" + initPid + "/ns/net", flags, 0, true));
    Results results = client.run(batch);
    client.call(new FileCall.Close(results.of(opened)));
    return results.descriptors().getFirst();
  }

  private static void move(
      NetlinkSocket host, NetlinkSocket container, String name, String target, int namespace) {
    int index = index(host, name);
    List<Addresses.Permanent> addresses = Addresses.permanent(host, index);
    host.perform(
        Links.flags(index, name, 0, Link.IFF_UP), Links.move(index, name, namespace, target));
    int inside = index(container, target);
    List<Request> requests = new ArrayList<>();
    for (Addresses.Permanent address : addresses) requests.add(address.addTo(inside));
    requests.add(Links.up(inside, target));
    container.perform(requests);
  }

  private static int index(NetlinkSocket socket, String name) {
    return Links.find(socket, name)
        .orElseThrow(() -> new ContainerException("net device " + name + ": no such device"))
        .index();
  }
}

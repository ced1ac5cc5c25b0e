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
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.specs.runtime.NetDevice;
import java.util.ArrayList;
import java.util.HashMap;
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
    return client.take(batch, opened);
  }

  private static void move(
      NetlinkSocket host, NetlinkSocket container, String name, String target, int namespace) {
    int index =
        Links.find(host, name)
            .orElseThrow(() -> new ContainerException("net device " + name + ": no such device"))
            .index();
    List<Addresses.Permanent> addresses = Addresses.permanent(host, index);
    Map<Integer, String> before = names(container);
    // the kernel renames it only once it is there, from where it cannot be had back
    if (before.containsValue(target))
      throw new ContainerException(
          "net device "
              + name
              + ": the container's network namespace has a "
              + target
              + " already");
    // at once, so that one that cannot be moved is as it was; the kernel takes it down on the way
    host.perform(Links.move(index, name, namespace, target));
    int inside = arrived(container, name, before);
    List<Request> requests = new ArrayList<>();
    for (Addresses.Permanent address : addresses) requests.add(address.addTo(inside));
    requests.add(Links.up(inside, target));
    container.perform(requests);
  }

  /// The index of the one that was not there before: the kernel may have chosen another, and of a
  /// template (`eth%d`) it made a name.
  private static int arrived(NetlinkSocket container, String name, Map<Integer, String> before) {
    Map<Integer, String> now = names(container);
    now.keySet().removeAll(before.keySet());
    if (now.size() == 1) return now.keySet().iterator().next();
    throw new ContainerException(
        "net device " + name + ": not to be told from others that came at once: " + now.values());
  }

  /// All devices by their indices.
  private static Map<Integer, String> names(NetlinkSocket socket) {
    Map<Integer, String> names = new HashMap<>();
    for (Link link : Links.all(socket)) names.put(link.index(), link.name());
    return names;
  }
}

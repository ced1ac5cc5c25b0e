package io.jrun.runtime.container;

import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.specs.runtime.NetDevice;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// linux.netDevices: moves network devices from the client's network namespace into the
/// container's, with their permanent global addresses, which the kernel drops on the way, and
/// brings them up. When the namespace ends, the kernel takes physical devices back and deletes
/// virtual ones.
final class NetDevices {
  private static final int IFLA_IFNAME = 3;
  private static final int IFLA_NET_NS_FD = 28;
  private static final int IFA_ADDRESS = 1;
  private static final int IFA_LOCAL = 2;
  private static final int IFA_BROADCAST = 4;
  private static final int IFF_UP = 1;
  private static final int IFA_F_PERMANENT = 0x80;
  private static final int IFADDRMSG = 8;
  private static final int IFINFOMSG = 16;

  private NetDevices() {}

  /// @param init is in the network namespace already
  static void move(
      HelperKernel client, HelperKernel init, int initPid, Map<String, NetDevice> devices) {
    Descriptor.Known namespace =
        (Descriptor.Known)
            client.call(
                new FileCall.Openat(
                    Descriptor.CWD,
                    "/proc/" + initPid + "/ns/net",
                    FileCall.O_RDONLY | FileCall.O_CLOEXEC,
                    0,
                    false));
    try (RouteSocket host = new RouteSocket(client);
        RouteSocket container = new RouteSocket(init)) {
      devices.forEach((name, device) -> {
        String target = device.name() == null || device.name().isEmpty() ? name : device.name();
        move(host, container, name, target, namespace.number());
      });
    } finally {
      client.call(new FileCall.Close(namespace));
    }
  }

  private static void move(
      RouteSocket host, RouteSocket container, String name, String target, int namespace) {
    int index = index(host, name);
    List<RouteSocket.Answer> addresses = addresses(host, name, index);
    Map<Integer, String> before = names(container);
    // the kernel renames it only once it is there, from where it cannot be had back
    if (before.containsValue(target))
      throw new ContainerException(
          "net device "
              + name
              + ": the container's network namespace has a "
              + target
              + " already");
    ByteBuffer descriptor = ByteBuffer.allocate(4).order(ByteOrder.nativeOrder());
    descriptor.putInt(namespace);
    // at once, so that one that cannot be moved is as it was; the kernel takes it down on the way
    host.ask(
        "net device " + name + ": moving it as " + target,
        RouteSocket.RTM_NEWLINK,
        RouteSocket.link(
            index,
            0,
            0,
            RouteSocket.attribute(IFLA_NET_NS_FD, descriptor.array()),
            RouteSocket.attribute(IFLA_IFNAME, text(target))));
    int inside = arrived(container, name, before);
    for (RouteSocket.Answer address : addresses)
      container.ask(
          "net device " + target + ": adding its address",
          RouteSocket.RTM_NEWADDR,
          address(address, inside));
    container.ask(
        "net device " + target + ": bringing it up",
        RouteSocket.RTM_NEWLINK,
        RouteSocket.link(inside, IFF_UP, IFF_UP));
  }

  /// The index of the one that was not there before: the kernel may have chosen another, and of a
  /// template (`eth%d`) it made a name.
  private static int arrived(RouteSocket container, String name, Map<Integer, String> before) {
    Map<Integer, String> now = names(container);
    now.keySet().removeAll(before.keySet());
    if (now.size() == 1) return now.keySet().iterator().next();
    throw new ContainerException(
        "net device " + name + ": not to be told from others that came at once: " + now.values());
  }

  /// All devices by their indices.
  private static Map<Integer, String> names(RouteSocket socket) {
    Map<Integer, String> names = new HashMap<>();
    for (RouteSocket.Answer link :
        socket.all("network devices", RouteSocket.RTM_GETLINK, RouteSocket.link(0, 0, 0))) {
      byte[] name = link.attribute(IFINFOMSG, IFLA_IFNAME);
      names.put(link.body().getInt(4), new String(name, StandardCharsets.UTF_8).replace("\0", ""));
    }
    return names;
  }

  private static byte[] text(String name) {
    return (name + "\0").getBytes(StandardCharsets.UTF_8);
  }

  private static int index(RouteSocket socket, String name) {
    return socket
        .ask(
            "net device " + name,
            RouteSocket.RTM_GETLINK,
            RouteSocket.link(0, 0, 0, RouteSocket.attribute(IFLA_IFNAME, text(name))))
        .getFirst()
        .body()
        .getInt(4);
  }

  private static List<RouteSocket.Answer> addresses(RouteSocket host, String name, int index) {
    List<RouteSocket.Answer> kept = new ArrayList<>();
    for (RouteSocket.Answer answer :
        host.all(
            "net device " + name + ": its addresses",
            RouteSocket.RTM_GETADDR,
            new byte[IFADDRMSG])) {
      boolean global = answer.body().get(3) == 0;
      boolean permanent = (answer.body().get(2) & IFA_F_PERMANENT) != 0;
      if (answer.body().getInt(4) == index && global && permanent) kept.add(answer);
    }
    return kept;
  }

  /// struct ifaddrmsg and what else says where the address is.
  private static byte[] address(RouteSocket.Answer old, int index) {
    ByteBuffer fixed = ByteBuffer.allocate(IFADDRMSG).order(ByteOrder.nativeOrder());
    fixed.put(old.body().get(0)).put(old.body().get(1)).put((byte) 0).put((byte) 0).putInt(index);
    List<byte[]> attributes = new ArrayList<>();
    for (int type : new int[] {IFA_ADDRESS, IFA_LOCAL, IFA_BROADCAST}) {
      byte[] data = old.attribute(IFADDRMSG, type);
      if (data.length > 0) attributes.add(RouteSocket.attribute(type, data));
    }
    return RouteSocket.joined(fixed.array(), attributes.toArray(byte[][]::new));
  }
}

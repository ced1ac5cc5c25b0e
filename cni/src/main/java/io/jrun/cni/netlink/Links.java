package io.jrun.cni.netlink;

import static io.jrun.cni.netlink.Request.NLM_F_CREATE;
import static io.jrun.cni.netlink.Request.NLM_F_DUMP;
import static io.jrun.cni.netlink.Request.NLM_F_EXCL;

import io.jrun.cni.address.IpAddress;
import io.jrun.kernel.call.Errno;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Requests about network interfaces, and what the kernel answers to them.
public final class Links {
  private static final int RTM_NEWLINK = 16;
  private static final int RTM_DELLINK = 17;
  private static final int RTM_GETLINK = 18;
  private static final int RTM_SETLINK = 19;
  private static final int AF_BRIDGE = 7;
  private static final int IFLA_PROTINFO = 12;
  private static final int IFLA_AF_SPEC = 26;
  private static final int IFLA_NET_NS_FD = 28;
  private static final int IFLA_NUM_TX_QUEUES = 31;
  private static final int IFLA_INET6_ADDR_GEN_MODE = 8;
  private static final int ADDR_GEN_NONE = 1;
  private static final int IFLA_NUM_RX_QUEUES = 32;
  private static final int IFLA_INFO_DATA = 2;
  private static final int VETH_INFO_PEER = 1;

  private Links() {}

  private static Request link(int type, int flags, String text, int family, int index) {
    return structure(new Request(type, flags, text), family, index, 0, 0);
  }

  /// ifinfomsg.
  private static Request structure(Request to, int family, int index, int flags, int change) {
    return to.u8(family).u8(0).u16(0).u32(index).u32(flags).u32(change);
  }

  private static Request create(String name, String kind, @Nullable Consumer<Request> data) {
    Request request =
        link(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, "RTM_NEWLINK " + kind + " " + name, 0, 0)
            .string(Link.IFLA_IFNAME, name);
    return request.nested(
        Link.IFLA_LINKINFO,
        info -> {
          info.string(Link.IFLA_INFO_KIND, kind);
          if (data != null) info.nested(IFLA_INFO_DATA, data);
        });
  }

  /// One end of a veth pair.
  ///
  /// @param mac null for one that the kernel chooses
  /// @param mtu zero for the kernel's default
  public record VethEnd(String name, @Nullable Mac mac, int mtu) {
    private void addTo(Request request) {
      request.string(Link.IFLA_IFNAME, name);
      if (mac != null) request.attribute(Link.IFLA_ADDRESS, mac.bytes());
      if (mtu != 0) request.u32(Link.IFLA_MTU, mtu);
      // the kernel would make one for each possible CPU, which takes time and gives nothing: there
      // is no queueing, and packets stay on the sender's CPU
      request.u32(IFLA_NUM_TX_QUEUES, 1).u32(IFLA_NUM_RX_QUEUES, 1);
    }
  }

  /// Both ends of a pair, the second directly in the namespace of that descriptor.
  public static Request veth(VethEnd here, VethEnd there, int namespaceDescriptor) {
    Request request =
        link(
            RTM_NEWLINK,
            NLM_F_CREATE | NLM_F_EXCL,
            "RTM_NEWLINK veth " + here.name() + " peer " + there.name(),
            0,
            0);
    here.addTo(request);
    return request.nested(
        Link.IFLA_LINKINFO,
        info ->
            info.string(Link.IFLA_INFO_KIND, "veth")
                .nested(
                    IFLA_INFO_DATA,
                    data ->
                        data.nested(
                            VETH_INFO_PEER,
                            peer -> {
                              structure(peer, 0, 0, 0, 0);
                              there.addTo(peer);
                              peer.u32(IFLA_NET_NS_FD, namespaceDescriptor);
                            })));
  }

  /// A bridge without spanning tree.
  ///
  /// @param vlanFiltering whether its ports may be members of VLANs; not every kernel has it
  /// @param mac null for one that changes with the ports
  public static Request bridge(String name, int mtu, boolean vlanFiltering, @Nullable Mac mac) {
    Request request = create(name, "bridge", vlanFiltering ? data -> data.u8(7, 1) : null);
    if (mac != null) request.attribute(Link.IFLA_ADDRESS, mac.bytes());
    return mtu == 0 ? request : request.u32(Link.IFLA_MTU, mtu);
  }

  /// A vxlan device that learns nothing: its entries are given.
  ///
  /// @param underlay the index of the interface to send from
  public static Request vxlan(
      String name, int vni, int underlay, IpAddress local, int port, @Nullable Mac mac, int mtu) {
    Request request =
        create(
            name,
            "vxlan",
            data ->
                data.u32(1, vni)
                    .u32(3, underlay)
                    .attribute(local.isIpv6() ? 17 : 4, local.bytes())
                    .u8(7, 0)
                    .u16BigEndian(15, port));
    if (mac != null) request.attribute(Link.IFLA_ADDRESS, mac.bytes());
    return mtu == 0 ? request : request.u32(Link.IFLA_MTU, mtu);
  }

  /// An ipip device to any node (IPv4 only).
  public static Request ipip(String name, int underlay, IpAddress local, int mtu) {
    Request request =
        create(name, "ipip", data -> data.u32(1, underlay).attribute(2, local.bytes()));
    return mtu == 0 ? request : request.u32(Link.IFLA_MTU, mtu);
  }

  public static Request vlan(String name, int parent, int id) {
    return create(name, "vlan", data -> data.u16(1, id)).u32(Link.IFLA_LINK, parent);
  }

  /// @param mode 1 private, 2 vepa, 4 bridge, 8 passthru
  public static Request macvlan(String name, int parent, int mode) {
    return create(name, "macvlan", data -> data.u32(1, mode)).u32(Link.IFLA_LINK, parent);
  }

  /// Flags to set and to clear.
  public static Request flags(int index, String name, int set, int clear) {
    return structure(
        new Request(RTM_NEWLINK, 0, "RTM_NEWLINK " + name), 0, index, set, set | clear);
  }

  public static Request up(int index, String name) {
    return flags(index, name, Link.IFF_UP, 0);
  }

  /// Moves an interface into the namespace of that descriptor, where it has another name.
  public static Request move(int index, String name, int namespaceDescriptor, String newName) {
    return link(RTM_NEWLINK, 0, "RTM_NEWLINK " + name + " to another namespace", 0, index)
        .u32(IFLA_NET_NS_FD, namespaceDescriptor)
        .string(Link.IFLA_IFNAME, newName);
  }

  /// Brings an interface, found by its name, up as a port of a bridge.
  ///
  /// @param alias a text that the interface carries from then on
  public static Request portUp(String name, int bridge, String alias) {
    return structure(
            new Request(RTM_NEWLINK, 0, "RTM_NEWLINK " + name + " up as a port"),
            0,
            0,
            Link.IFF_UP,
            Link.IFF_UP)
        .string(Link.IFLA_IFNAME, name)
        .attribute(Link.IFLA_IFALIAS, alias.getBytes(StandardCharsets.UTF_8))
        .u32(Link.IFLA_MASTER, bridge);
  }

  /// Keeps the kernel from giving an interface an IPv6 address of its own; EAFNOSUPPORT where there
  /// is no IPv6.
  public static Request withoutIpv6Address(String name) {
    return link(RTM_NEWLINK, 0, "RTM_NEWLINK " + name + " addrgenmode none", 0, 0)
        .string(Link.IFLA_IFNAME, name)
        .nested(
            IFLA_AF_SPEC,
            spec ->
                spec.nested(
                    Addresses.AF_INET6,
                    inet6 -> inet6.u8(IFLA_INET6_ADDR_GEN_MODE, ADDR_GEN_NONE)));
  }

  public static Request mtu(int index, String name, int mtu) {
    return link(RTM_NEWLINK, 0, "RTM_NEWLINK " + name + " mtu " + mtu, 0, index)
        .u32(Link.IFLA_MTU, mtu);
  }

  public static Request mac(int index, String name, Mac mac) {
    return link(RTM_NEWLINK, 0, "RTM_NEWLINK " + name + " address " + mac.text(), 0, index)
        .attribute(Link.IFLA_ADDRESS, mac.bytes());
  }

  /// What a bridge's port may do: send back where a frame came from, and reach isolated ports.
  public static Request portFlags(int index, String name, boolean hairpin, boolean isolated) {
    return link(RTM_SETLINK, 0, "RTM_SETLINK port " + name, AF_BRIDGE, index)
        .nested(
            IFLA_PROTINFO,
            port -> {
              port.u8(4, hairpin ? 1 : 0);
              if (isolated) port.u8(33, 1);
            });
  }

  /// Makes a bridge's port a member of a VLAN, untagged and for what comes untagged.
  public static Request portVlan(int index, String name, int vlan) {
    return link(RTM_SETLINK, 0, "RTM_SETLINK port " + name + " vlan " + vlan, AF_BRIDGE, index)
        .nested(
            IFLA_AF_SPEC,
            spec -> spec.attribute(2, new byte[] {6, 0, (byte) vlan, (byte) (vlan >> 8)}));
  }

  public static Request delete(String name) {
    return link(RTM_DELLINK, 0, "RTM_DELLINK " + name, 0, 0).string(Link.IFLA_IFNAME, name);
  }

  /// Deletes an interface by its index: another one may have its name by now.
  public static Request delete(Link link) {
    return link(RTM_DELLINK, 0, "RTM_DELLINK " + link.name(), 0, link.index());
  }

  public static Request get(String name) {
    return link(RTM_GETLINK, 0, "RTM_GETLINK " + name, 0, 0).string(Link.IFLA_IFNAME, name);
  }

  public static Request get(int index) {
    return link(RTM_GETLINK, 0, "RTM_GETLINK " + index, 0, index);
  }

  /// The interface that the answer shows; none where there is no such one.
  public static Optional<Link> of(Answer answer) {
    if (answer.orThrow(Errno.ENODEV).replies().isEmpty()) return Optional.empty();
    return Optional.of(Link.read(answer.replies().getFirst()));
  }

  public static Optional<Link> find(NetlinkSocket socket, String name) {
    return of(socket.attempt(get(name)));
  }

  public static List<Link> all(NetlinkSocket socket) {
    return socket.dump(link(RTM_GETLINK, NLM_F_DUMP, "RTM_GETLINK", 0, 0)).stream()
        .map(Link::read)
        .toList();
  }
}

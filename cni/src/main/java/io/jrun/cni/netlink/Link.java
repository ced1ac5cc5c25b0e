package io.jrun.cni.netlink;

import org.jspecify.annotations.Nullable;

/// A network interface as RTM_NEWLINK shows it.
///
/// @param kind such as `veth` or `bridge`; empty for a physical one
/// @param master the index of the bridge that it is a port of; zero for none
/// @param peer the index of the other end (veth) or of the device below (vlan), in the namespace
///   where that is; zero for none
public record Link(
    int index,
    String name,
    String kind,
    String alias,
    String mac,
    int mtu,
    int flags,
    int master,
    int peer,
    boolean isCarrierUp) {
  public static final int IFF_UP = 1;
  public static final int IFF_PROMISC = 0x100;
  static final int IFLA_ADDRESS = 1;
  static final int IFLA_IFNAME = 3;
  static final int IFLA_MTU = 4;
  static final int IFLA_LINK = 5;
  static final int IFLA_MASTER = 10;
  static final int IFLA_OPERSTATE = 16;
  static final int IFLA_LINKINFO = 18;
  static final int IFLA_IFALIAS = 20;
  static final int IFLA_INFO_KIND = 1;
  private static final int STRUCTURE = 16;
  private static final int IF_OPER_UP = 6;

  static Link read(Reply reply) {
    Attributes attributes = reply.attributes(STRUCTURE);
    byte @Nullable [] mac = attributes.bytes(IFLA_ADDRESS);
    return new Link(
        reply.i32(4),
        attributes.string(IFLA_IFNAME),
        attributes.nested(IFLA_LINKINFO).string(IFLA_INFO_KIND),
        attributes.string(IFLA_IFALIAS),
        mac == null || mac.length != 6 ? "" : Mac.of(mac).text(),
        attributes.u32(IFLA_MTU, 0),
        reply.i32(8),
        attributes.u32(IFLA_MASTER, 0),
        attributes.u32(IFLA_LINK, 0),
        attributes.u8(IFLA_OPERSTATE, 0) == IF_OPER_UP);
  }

  public boolean isUp() {
    return (flags & IFF_UP) != 0;
  }
}

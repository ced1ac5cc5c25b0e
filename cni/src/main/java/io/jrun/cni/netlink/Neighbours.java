package io.jrun.cni.netlink;

import static io.jrun.cni.netlink.Request.NLM_F_CREATE;
import static io.jrun.cni.netlink.Request.NLM_F_DUMP;
import static io.jrun.cni.netlink.Request.NLM_F_REPLACE;

import io.jrun.cni.address.IpAddress;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Requests about neighbours (ARP, NDP) and about forwarding tables of bridges and vxlan devices.
public final class Neighbours {
  private static final int RTM_NEWNEIGH = 28;
  private static final int RTM_DELNEIGH = 29;
  private static final int RTM_GETNEIGH = 30;
  private static final int AF_BRIDGE = 7;
  private static final int NTF_SELF = 2;
  private static final int NUD_REACHABLE = 2;
  private static final int NUD_PERMANENT = 0x80;
  private static final int NDA_DST = 1;
  private static final int NDA_LLADDR = 2;
  private static final int STRUCTURE = 12;

  /// An entry of the neighbour table or, with a family of bridges, of a forwarding table.
  public record Entry(int link, @Nullable IpAddress address, String mac, int state) {
    public Mac hardware() {
      return new Mac(mac);
    }

    public boolean isPermanent() {
      return (state & NUD_PERMANENT) != 0;
    }
  }

  private Neighbours() {}

  private static Request request(
      int type, int flags, int family, int link, int ntf, IpAddress to, Mac mac, String verb) {
    return request(type, flags, family, link, NUD_PERMANENT, ntf, to, mac, verb);
  }

  private static Request request(
      int type,
      int flags,
      int family,
      int link,
      int state,
      int ntf,
      IpAddress to,
      Mac mac,
      String verb) {
    return new Request(type, flags, verb + " " + to + " lladdr " + mac.text())
        .u8(family)
        .u8(0)
        .u16(0)
        .u32(link)
        .u16(state)
        .u8(ntf)
        .u8(0)
        .attribute(NDA_DST, to.bytes())
        .attribute(NDA_LLADDR, mac.bytes());
  }

  /// A permanent neighbour.
  public static Request set(int link, IpAddress address, Mac mac) {
    return request(
        RTM_NEWNEIGH,
        NLM_F_CREATE | NLM_F_REPLACE,
        Addresses.family(address.isIpv6()),
        link,
        0,
        address,
        mac,
        "RTM_NEWNEIGH");
  }

  /// A neighbour as if it had just answered; the kernel forgets it in time.
  public static Request learned(int link, IpAddress address, Mac mac) {
    return request(
        RTM_NEWNEIGH,
        NLM_F_CREATE | NLM_F_REPLACE,
        Addresses.family(address.isIpv6()),
        link,
        NUD_REACHABLE,
        0,
        address,
        mac,
        "RTM_NEWNEIGH");
  }

  public static Request delete(int link, IpAddress address, Mac mac) {
    return request(
        RTM_DELNEIGH, 0, Addresses.family(address.isIpv6()), link, 0, address, mac, "RTM_DELNEIGH");
  }

  /// Where a vxlan device sends frames to that hardware address.
  public static Request setForwarding(int link, Mac mac, IpAddress node) {
    return request(
        RTM_NEWNEIGH,
        NLM_F_CREATE | NLM_F_REPLACE,
        AF_BRIDGE,
        link,
        NTF_SELF,
        node,
        mac,
        "RTM_NEWNEIGH fdb");
  }

  public static Request deleteForwarding(int link, Mac mac, IpAddress node) {
    return request(RTM_DELNEIGH, 0, AF_BRIDGE, link, NTF_SELF, node, mac, "RTM_DELNEIGH fdb");
  }

  public static List<Entry> all(NetlinkSocket socket, int link, boolean isIpv6) {
    return dump(socket, link, Addresses.family(isIpv6));
  }

  public static List<Entry> forwarding(NetlinkSocket socket, int link) {
    return dump(socket, link, AF_BRIDGE);
  }

  private static List<Entry> dump(NetlinkSocket socket, int link, int family) {
    Request dump =
        new Request(RTM_GETNEIGH, NLM_F_DUMP, "RTM_GETNEIGH")
            .u8(family)
            .u8(0)
            .u16(0)
            .u32(family == AF_BRIDGE ? link : 0)
            .u16(0)
            .u8(0)
            .u8(0);
    return socket.dump(dump).stream()
        .map(Neighbours::read)
        .filter(Objects::nonNull)
        .filter(entry -> entry.link() == link)
        .toList();
  }

  private static @Nullable Entry read(Reply reply) {
    Attributes attributes = reply.attributes(STRUCTURE);
    byte @Nullable [] mac = attributes.bytes(NDA_LLADDR);
    byte @Nullable [] to = attributes.bytes(NDA_DST);
    if (mac == null || mac.length != 6) return null;
    IpAddress address = to == null || (to.length != 4 && to.length != 16) ? null : IpAddress.of(to);
    return new Entry(reply.i32(4), address, Mac.of(mac).text(), reply.u16(8));
  }
}

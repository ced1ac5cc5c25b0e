package io.jrun.cni.netlink;

import static io.jrun.cni.netlink.Request.NLM_F_CREATE;
import static io.jrun.cni.netlink.Request.NLM_F_DUMP;
import static io.jrun.cni.netlink.Request.NLM_F_EXCL;

import io.jrun.cni.address.Cidr;
import io.jrun.cni.address.IpAddress;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Requests about the addresses of interfaces.
public final class Addresses {
  private static final int RTM_NEWADDR = 20;
  private static final int RTM_DELADDR = 21;
  private static final int RTM_GETADDR = 22;
  private static final int IFA_ADDRESS = 1;
  private static final int IFA_LOCAL = 2;
  private static final int IFA_BROADCAST = 4;
  private static final int IFA_F_NODAD = 2;
  private static final int IFA_F_PERMANENT = 0x80;
  private static final int SCOPE_GLOBAL = 0;
  private static final int STRUCTURE = 8;
  static final int AF_INET = 2;
  static final int AF_INET6 = 10;

  private Addresses() {}

  static int family(boolean isIpv6) {
    return isIpv6 ? AF_INET6 : AF_INET;
  }

  private static Request request(int type, int flags, int link, Cidr address, String verb) {
    return new Request(type, flags, verb + " " + address)
        .u8(family(address.isIpv6()))
        .u8(address.length())
        .u8(address.isIpv6() ? IFA_F_NODAD : 0)
        .u8(0)
        .u32(link);
  }

  /// Adds an address; one of IPv6 is not tried for duplicates, which would take seconds.
  public static Request add(int link, Cidr address) {
    Request request =
        request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, link, address, "RTM_NEWADDR")
            .attribute(IFA_LOCAL, address.address().bytes())
            .attribute(IFA_ADDRESS, address.address().bytes());
    if (!address.isIpv6() && address.length() < 31) {
      request.attribute(IFA_BROADCAST, address.last().bytes());
    }
    return request;
  }

  public static Request delete(int link, Cidr address) {
    return request(RTM_DELADDR, 0, link, address, "RTM_DELADDR")
        .attribute(IFA_LOCAL, address.address().bytes());
  }

  /// The addresses of one interface, both families.
  public static List<Cidr> of(NetlinkSocket socket, int link) {
    return dump(socket, link).map(Addresses::read).filter(Objects::nonNull).toList();
  }

  /// The permanent addresses of global scope of one interface.
  public static List<Permanent> permanent(NetlinkSocket socket, int link) {
    return dump(socket, link)
        .filter(reply -> (reply.u8(2) & IFA_F_PERMANENT) != 0 && reply.u8(3) == SCOPE_GLOBAL)
        .map(Permanent::new)
        .toList();
  }

  private static Stream<Reply> dump(NetlinkSocket socket, int link) {
    Request dump =
        new Request(RTM_GETADDR, NLM_F_DUMP, "RTM_GETADDR").u8(0).u8(0).u8(0).u8(0).u32(link);
    return socket.dump(dump).stream().filter(reply -> reply.i32(4) == link);
  }

  /// An address that the kernel has listed, with its peer and broadcast address.
  public record Permanent(Reply reply) {
    /// Gives another interface this address.
    public Request addTo(int link) {
      Request request =
          new Request(RTM_NEWADDR, 0, "RTM_NEWADDR")
              .u8(reply.u8(0))
              .u8(reply.u8(1))
              .u8(0)
              .u8(SCOPE_GLOBAL)
              .u32(link);
      Attributes attributes = reply.attributes(STRUCTURE);
      for (int type : new int[] {IFA_ADDRESS, IFA_LOCAL, IFA_BROADCAST}) {
        byte @Nullable [] value = attributes.bytes(type);
        if (value != null) request.attribute(type, value);
      }
      return request;
    }
  }

  private static @Nullable Cidr read(Reply reply) {
    Attributes attributes = reply.attributes(STRUCTURE);
    byte @Nullable [] local = attributes.bytes(IFA_LOCAL);
    byte @Nullable [] address = local == null ? attributes.bytes(IFA_ADDRESS) : local;
    if (address == null || (address.length != 4 && address.length != 16)) return null;
    IpAddress ip = IpAddress.of(address);
    return reply.u8(1) > ip.bits() ? null : new Cidr(ip, reply.u8(1));
  }
}

package io.jrun.cni.netlink;

import static io.jrun.cni.netlink.Request.NLM_F_CREATE;
import static io.jrun.cni.netlink.Request.NLM_F_DUMP;
import static io.jrun.cni.netlink.Request.NLM_F_EXCL;
import static io.jrun.cni.netlink.Request.NLM_F_REPLACE;

import java.util.List;
import java.util.Optional;

/// Requests about routes.
public final class Routes {
  private static final int RTM_NEWROUTE = 24;
  private static final int RTM_DELROUTE = 25;
  private static final int RTM_GETROUTE = 26;
  static final int RTA_DST = 1;
  static final int RTA_OIF = 4;
  static final int RTA_GATEWAY = 5;
  static final int RTA_PRIORITY = 6;
  static final int RTA_PREFSRC = 7;
  static final int RTA_METRICS = 8;
  static final int RTA_TABLE = 15;
  static final int RTAX_MTU = 2;
  static final int RTAX_ADVMSS = 8;
  static final int RTNH_F_ONLINK = 4;

  private Routes() {}

  private static Request request(int type, int flags, RouteEntry route, int protocol, String verb) {
    int table = route.tableOrMain();
    Request request =
        new Request(
                type,
                flags,
                verb
                    + " "
                    + route.destination()
                    + (route.gateway() == null ? "" : " via " + route.gateway()))
            .u8(Addresses.family(route.destination().isIpv6()))
            .u8(route.destination().length())
            .u8(0)
            .u8(0)
            .u8(table < 256 ? table : 0)
            .u8(protocol)
            .u8(route.scopeOrDefault())
            .u8(1)
            .u32(route.isOnlink() ? RTNH_F_ONLINK : 0)
            .attribute(RTA_DST, route.destination().address().bytes())
            .u32(RTA_OIF, route.link());
    if (table >= 256) request.u32(RTA_TABLE, table);
    if (route.gateway() != null) request.attribute(RTA_GATEWAY, route.gateway().bytes());
    if (route.source() != null) request.attribute(RTA_PREFSRC, route.source().bytes());
    if (route.priority() != 0) request.u32(RTA_PRIORITY, route.priority());
    if (route.mtu() != 0 || route.advmss() != 0) {
      request.nested(
          RTA_METRICS,
          metrics -> {
            if (route.mtu() != 0) metrics.u32(RTAX_MTU, route.mtu());
            if (route.advmss() != 0) metrics.u32(RTAX_ADVMSS, route.advmss());
          });
    }
    return request;
  }

  public static Request add(RouteEntry route) {
    return request(
        RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, route, route.protocol(), "RTM_NEWROUTE");
  }

  /// Adds it, or puts it in the place of the one to the same destination.
  ///
  /// @param protocol that marks it as the caller's
  public static Request replace(RouteEntry route, int protocol) {
    return request(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, route, protocol, "RTM_NEWROUTE");
  }

  public static Request delete(RouteEntry route) {
    return request(RTM_DELROUTE, 0, route, route.protocol(), "RTM_DELROUTE");
  }

  /// All routes of a family in every table, apart from those of the kernel's own kinds.
  public static List<RouteEntry> all(NetlinkSocket socket, boolean isIpv6) {
    Request dump =
        new Request(RTM_GETROUTE, NLM_F_DUMP, "RTM_GETROUTE")
            .u8(Addresses.family(isIpv6))
            .u8(0)
            .u16(0)
            .u32(0)
            .u32(0);
    return socket.dump(dump).stream().map(RouteEntry::read).flatMap(Optional::stream).toList();
  }
}

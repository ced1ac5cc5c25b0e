package io.jrun.cni.netlink;

import io.jrun.cni.address.Cidr;
import io.jrun.cni.address.IpAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A route of a routing table; numbers are zero where they are not given.
///
/// @param gateway null for a destination on the link
/// @param link the index of the interface
/// @param scope 0 universe, 253 link; negative for what the gateway's presence tells
/// @param protocol who made it; see [#RTPROT_BOOT]
/// @param isOnlink whether the gateway is taken to be on the link whatever the addresses say
public record RouteEntry(
    Cidr destination,
    @Nullable IpAddress gateway,
    int link,
    @Nullable IpAddress source,
    int mtu,
    int advmss,
    int priority,
    int table,
    int scope,
    boolean isOnlink,
    int protocol) {
  private static final int MAIN_TABLE = 254;
  private static final int STRUCTURE = 12;
  private static final int RTN_UNICAST = 1;

  /// The protocol of routes that a set-up made.
  public static final int RTPROT_BOOT = 3;

  public RouteEntry(Cidr destination, @Nullable IpAddress gateway, int link) {
    this(destination, gateway, link, null, 0, 0, 0, 0, -1, false, RTPROT_BOOT);
  }

  public RouteEntry onlink() {
    return new RouteEntry(
        destination, gateway, link, source, mtu, advmss, priority, table, scope, true, protocol);
  }

  int tableOrMain() {
    return table == 0 ? MAIN_TABLE : table;
  }

  int scopeOrDefault() {
    if (scope >= 0) return scope;
    return gateway == null && !destination.isIpv6() ? 253 : 0;
  }

  /// Whether another route leads to the same place by the same way.
  public boolean leadsAs(RouteEntry other) {
    return destination.equals(other.destination)
        && link == other.link
        && java.util.Objects.equals(gateway, other.gateway)
        && tableOrMain() == other.tableOrMain();
  }

  /// A unicast route with one way; none for others.
  static Optional<RouteEntry> read(Reply reply) {
    Attributes attributes = reply.attributes(STRUCTURE);
    boolean isIpv6 = reply.u8(0) == Addresses.AF_INET6;
    int size = isIpv6 ? 16 : 4;
    byte @Nullable [] destination = attributes.bytes(Routes.RTA_DST);
    if (destination == null) destination = new byte[size];
    if (reply.u8(7) != RTN_UNICAST
        || destination.length != size
        || reply.u8(1) > size * 8
        || !attributes.has(Routes.RTA_OIF)) return Optional.empty();
    byte @Nullable [] metrics = attributes.bytes(Routes.RTA_METRICS);
    Attributes metric =
        metrics == null ? attributes.nested(-1) : Attributes.parse(metrics, 0, metrics.length);
    return Optional.of(
        new RouteEntry(
            new Cidr(IpAddress.of(destination), reply.u8(1)),
            address(attributes.bytes(Routes.RTA_GATEWAY)),
            attributes.u32(Routes.RTA_OIF, 0),
            address(attributes.bytes(Routes.RTA_PREFSRC)),
            metric.u32(Routes.RTAX_MTU, 0),
            metric.u32(Routes.RTAX_ADVMSS, 0),
            attributes.u32(Routes.RTA_PRIORITY, 0),
            attributes.u32(Routes.RTA_TABLE, reply.u8(4)),
            reply.u8(6),
            (flags(reply) & Routes.RTNH_F_ONLINK) != 0,
            reply.u8(5)));
  }

  private static int flags(Reply reply) {
    return reply.payload().length < STRUCTURE
        ? 0
        : ByteBuffer.wrap(reply.payload()).order(ByteOrder.nativeOrder()).getInt(8);
  }

  private static @Nullable IpAddress address(byte @Nullable [] bytes) {
    return bytes == null || (bytes.length != 4 && bytes.length != 16) ? null : IpAddress.of(bytes);
  }
}

package io.jrun.cni.ipam;

import io.jrun.cni.address.Cidr;
import io.jrun.cni.address.IpAddress;
import java.math.BigInteger;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The addresses of a subnet that may be given to containers: from `first` to `last` without the
/// gateway and those reserved.
public record AddressRange(
    Cidr subnet,
    IpAddress first,
    IpAddress last,
    @Nullable IpAddress gateway,
    List<Span> reserved) {
  /// Some addresses in a row.
  public record Span(IpAddress first, IpAddress last) {
    boolean contains(IpAddress address) {
      return address.isIpv6() == first.isIpv6()
          && address.compareTo(first) >= 0
          && address.compareTo(last) <= 0;
    }
  }

  public AddressRange {
    reserved = List.copyOf(reserved);
  }

  /// All of a subnet but its own address and, of IPv4, the broadcast address; the gateway is the
  /// first address unless one is given.
  public static AddressRange of(Cidr subnet, @Nullable IpAddress gateway, List<Span> reserved) {
    Cidr network = subnet.network();
    if (network.size().compareTo(BigInteger.valueOf(4)) < 0) {
      throw new IllegalArgumentException("subnet " + network + " is too small");
    }
    return new AddressRange(
        network,
        network.address().plus(1),
        network.isIpv6() ? network.last() : network.last().plus(-1),
        gateway == null ? network.address().plus(1) : gateway,
        reserved);
  }

  public AddressRange between(IpAddress first, IpAddress last) {
    return new AddressRange(subnet, first, last, gateway, reserved);
  }

  boolean contains(IpAddress address) {
    return address.isIpv6() == subnet.isIpv6()
        && address.compareTo(first) >= 0
        && address.compareTo(last) <= 0;
  }

  /// Whether a container may have it.
  boolean allows(IpAddress address) {
    return contains(address)
        && (gateway == null || !address.equals(gateway))
        && reserved.stream().noneMatch(span -> span.contains(address));
  }

  @Override
  public String toString() {
    return first + "-" + last;
  }
}

package io.jrun.cni.address;

import java.math.BigInteger;
import java.util.Optional;

/// An address with the length of its network's prefix, such as 10.1.0.2/24.
public record Cidr(IpAddress address, int length) {
  public Cidr {
    if (length < 0 || length > address.bits()) {
      throw new IllegalArgumentException("prefix length " + length + " of " + address);
    }
  }

  public static Optional<Cidr> parse(String text) {
    int slash = text.indexOf('/');
    if (slash < 0) return Optional.empty();
    Optional<IpAddress> address = IpAddress.parse(text.substring(0, slash));
    int bits = 0;
    for (int i = slash + 1; i < text.length(); i++) {
      int digit = text.charAt(i) - '0';
      if (digit < 0 || digit > 9 || i > slash + 3) return Optional.empty();
      bits = 10 * bits + digit;
    }
    boolean isLength = slash + 1 < text.length();
    if (address.isEmpty() || !isLength || bits > address.get().bits()) return Optional.empty();
    return Optional.of(new Cidr(address.get(), bits));
  }

  public boolean isIpv6() {
    return address.isIpv6();
  }

  /// The network: the address with all bits behind the prefix zero.
  public Cidr network() {
    byte[] bytes = address.bytes();
    for (int bit = length; bit < bytes.length * 8; bit++)
      bytes[bit / 8] &= (byte) ~(128 >> bit % 8);
    return new Cidr(IpAddress.of(bytes), length);
  }

  /// The last address of the network: of IPv4 the broadcast address.
  public IpAddress last() {
    return network().address.plus(size().subtract(BigInteger.ONE));
  }

  public BigInteger size() {
    return BigInteger.TWO.pow(address.bits() - length);
  }

  public boolean contains(IpAddress other) {
    return other.isIpv6() == isIpv6()
        && new Cidr(other, length).network().address.equals(network().address);
  }

  /// Whether the networks have an address in common.
  public boolean overlaps(Cidr other) {
    return contains(other.address) || other.contains(address);
  }

  @Override
  public String toString() {
    return address + "/" + length;
  }
}

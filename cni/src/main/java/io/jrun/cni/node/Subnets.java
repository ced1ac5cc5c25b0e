package io.jrun.cni.node;

import io.jrun.cni.address.Cidr;
import java.math.BigInteger;
import java.util.List;
import java.util.Optional;

/// The parts of equal size that a network is cut into.
final class Subnets {
  private Subnets() {}

  /// The first part that has no address in common with those taken.
  static Optional<Cidr> firstFree(Cidr network, int length, List<Cidr> taken) {
    if (length < network.length() || length > network.address().bits()) return Optional.empty();
    Cidr whole = network.network();
    BigInteger size = BigInteger.TWO.pow(whole.address().bits() - length);
    BigInteger count = BigInteger.TWO.pow(length - whole.length());
    for (BigInteger i = BigInteger.ZERO; i.compareTo(count) < 0; i = i.add(BigInteger.ONE)) {
      Cidr part = new Cidr(whole.address().plus(size.multiply(i)), length);
      if (taken.stream().noneMatch(part::overlaps)) return Optional.of(part);
    }
    return Optional.empty();
  }
}

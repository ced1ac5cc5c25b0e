package io.jrun.cni.policy;

import io.jrun.cni.address.Cidr;
import java.util.ArrayList;
import java.util.List;

/// Prefixes without others: an interval set of nftables has no exceptions, and its elements must
/// not overlap.
final class CidrDifference {
  private CidrDifference() {}

  /// What is in any of the blocks, as prefixes that do not overlap.
  static List<Cidr> of(List<Peer.Block> blocks) {
    List<Cidr> result = new ArrayList<>();
    for (Peer.Block block : blocks) {
      List<Cidr> parts = List.of(block.cidr());
      for (Cidr except : block.except()) {
        parts = parts.stream().flatMap(part -> minus(part, except).stream()).toList();
      }
      for (Cidr part : parts) addTo(result, part);
    }
    return result;
  }

  private static void addTo(List<Cidr> result, Cidr part) {
    for (Cidr there : result) {
      if (there.length() <= part.length() && there.contains(part.address())) return;
    }
    result.removeIf(there -> part.length() <= there.length() && part.contains(there.address()));
    result.add(part);
  }

  private static List<Cidr> minus(Cidr whole, Cidr except) {
    if (!whole.overlaps(except)) return List.of(whole);
    if (except.length() <= whole.length()) return List.of();
    List<Cidr> rest = new ArrayList<>();
    // halve: one half has nothing of the exception, the other one is halved again
    for (int length = whole.length() + 1; length <= except.length(); length++) {
      Cidr within = new Cidr(except.address(), length).network();
      byte[] bytes = within.address().bytes();
      bytes[(length - 1) / 8] ^= (byte) (128 >> (length - 1) % 8);
      rest.add(new Cidr(io.jrun.cni.address.IpAddress.of(bytes), length));
    }
    return rest;
  }
}

package io.jrun.cni.policy;

import io.jrun.cni.address.IpAddress;
import io.jrun.cni.nftables.Nft;
import io.jrun.specs.json.Json;

/// The address families, as the parts of names and of expressions.
enum AddressFamily {
  V4("4", "ip", "ipv4_addr"),
  V6("6", "ip6", "ipv6_addr");

  private final String digit;
  private final String word;
  private final String type;

  AddressFamily(String digit, String word, String type) {
    this.digit = digit;
    this.word = word;
    this.type = type;
  }

  static AddressFamily of(IpAddress address) {
    return address.isIpv6() ? V6 : V4;
  }

  /// What the names of its sets end in.
  String digit() {
    return digit;
  }

  /// The type of its sets' elements.
  String type() {
    return type;
  }

  Json source() {
    return Nft.payload(word, "saddr");
  }

  Json destination() {
    return Nft.payload(word, "daddr");
  }
}

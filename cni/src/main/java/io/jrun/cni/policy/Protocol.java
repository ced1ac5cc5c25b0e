package io.jrun.cni.policy;

import java.util.Locale;

/// A protocol with ports.
public enum Protocol {
  TCP(6),
  UDP(17),
  SCTP(132);

  private final int number;

  Protocol(int number) {
    this.number = number;
  }

  /// As IP headers have it.
  int number() {
    return number;
  }

  /// As nftables writes it.
  String word() {
    return name().toLowerCase(Locale.ROOT);
  }
}

package io.jrun.cni.policy;

import java.util.Locale;

/// A protocol with ports.
public enum Protocol {
  TCP,
  UDP,
  SCTP;

  /// As nftables writes it.
  String word() {
    return name().toLowerCase(Locale.ROOT);
  }
}

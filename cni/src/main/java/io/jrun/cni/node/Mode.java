package io.jrun.cni.node;

import java.util.Locale;
import java.util.Optional;

/// How other nodes' containers are reached.
public enum Mode {
  /// By routes that somebody else makes; jrun only lists the missing ones.
  STATIC,
  /// By a route to each node, on a network that all nodes are neighbours in.
  HOST_GW,
  /// By a vxlan device, over any network.
  VXLAN,
  /// By an ipip device, over any IPv4 network; refused where the kernel has none.
  IPIP;

  public String text() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  public static Optional<Mode> of(String text) {
    for (Mode mode : values()) if (mode.text().equals(text)) return Optional.of(mode);
    return Optional.empty();
  }
}

package io.jrun.runtime.cli;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// What the command line asks of a container beyond its config and what runc has.
///
/// @param networks CNI networks to attach the container to, several between commas; the first is
///   eth0
/// @param ports to publish, each `[hostip:]hostport:port[/protocol]`, several between commas
/// @param sandbox whose namespaces the container joins; null for none
/// @param metadata what is said about it
/// @param namesHosts whether the container gets an /etc/hosts and the like also without a network
///   of CNI
public record Additions(
    List<String> networks,
    List<String> ports,
    @Nullable String sandbox,
    Metadata metadata,
    boolean namesHosts) {
  public static final Additions NONE =
      new Additions(List.of(), List.of(), null, Metadata.NONE, false);

  public Additions {
    networks = List.copyOf(networks);
    ports = List.copyOf(ports);
  }

  /// @param metadata what the line says of that, if it can
  static Additions of(ParsedLine line, Metadata metadata, boolean namesHosts) {
    return new Additions(
        line.texts("--network"),
        line.texts("--publish"),
        line.text("--sandbox"),
        metadata,
        namesHosts);
  }
}

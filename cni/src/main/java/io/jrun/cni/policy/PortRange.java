package io.jrun.cni.policy;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import org.jspecify.annotations.Nullable;

/// The ports that a rule allows: numbers from `first` to `last`, or those of a name.
record PortRange(Protocol protocol, int first, int last, @Nullable String name) {
  private static final int MAX = 65535;

  static PortRange read(JsonReader r) {
    Protocol protocol =
        r.object().member("protocol") == null
            ? Protocol.TCP
            : r.enumeration("protocol", Protocol.values(), Protocol::name);
    Integer end = r.optionalInt32("endPort");
    if (r.object().member("port") instanceof Json.JsonString) {
      String name = r.string("port");
      if (!name.matches("[a-z0-9]([-a-z0-9]*[a-z0-9])?") || name.length() > 15) {
        r.problem("port", "invalid name \"" + name + "\"");
      }
      if (end != null) r.problem("endPort", "needs a number as port");
      Unknown.refuse(r);
      return new PortRange(protocol, 0, 0, name);
    }
    Integer port = r.optionalInt32("port");
    if (port != null && (port < 1 || port > MAX)) r.problem("port", "must be from 1 to " + MAX);
    if (end != null) {
      if (port == null) r.problem("endPort", "needs a port");
      else if (end < port || end > MAX) r.problem("endPort", "must be from port to " + MAX);
    }
    Unknown.refuse(r);
    if (port == null) return new PortRange(protocol, 0, MAX, null);
    return new PortRange(protocol, port, end == null ? port : end, null);
  }
}

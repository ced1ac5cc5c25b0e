package io.jrun.cni.policy;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import java.util.Locale;

/// A port of a container that policies may name, such as `http:80/tcp`.
public record NamedPort(String name, int port, Protocol protocol) {
  static NamedPort read(JsonReader r) {
    return new NamedPort(
        r.string("name"),
        (int) r.requiredUint32("port"),
        r.enumeration("protocol", Protocol.values(), Protocol::name));
  }

  /// Parses `NAME:PORT[/PROTOCOL]`.
  ///
  /// @throws IllegalArgumentException for anything else
  static NamedPort parse(String text) {
    if (!text.matches("[a-z0-9]([-a-z0-9]*[a-z0-9])?:[0-9]{1,5}(/(tcp|udp|sctp))?")) {
      throw new IllegalArgumentException("\"" + text + "\" is not NAME:PORT[/tcp|udp|sctp]");
    }
    String[] parts = text.split("[:/]");
    int port = Integer.parseInt(parts[1]);
    if (port < 1 || port > 65535) throw new IllegalArgumentException(port + " is no port");
    Protocol protocol =
        parts.length < 3 ? Protocol.TCP : Protocol.valueOf(parts[2].toUpperCase(Locale.ROOT));
    return new NamedPort(parts[0], port, protocol);
  }

  Json toJson() {
    return Json.JsonObject.EMPTY
        .with("name", Json.of(name))
        .with("port", Json.of(port))
        .with("protocol", Json.of(protocol.name()));
  }
}

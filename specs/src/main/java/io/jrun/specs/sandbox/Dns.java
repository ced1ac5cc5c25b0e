package io.jrun.specs.sandbox;

import io.jrun.specs.proto.ProtoMessage;
import java.util.List;

/// DNSConfig: what a pod's resolv.conf says.
public record Dns(List<String> servers, List<String> searches, List<String> options) {
  public Dns {
    servers = List.copyOf(servers);
    searches = List.copyOf(searches);
    options = List.copyOf(options);
  }

  static Dns read(ProtoMessage m) {
    return new Dns(m.strings(1), m.strings(2), m.strings(3));
  }

  /// As containerd writes it.
  public String resolvConf() {
    StringBuilder text = new StringBuilder();
    if (!searches.isEmpty()) text.append("search ").append(String.join(" ", searches)).append('\n');
    for (String server : servers) text.append("nameserver ").append(server).append('\n');
    if (!options.isEmpty()) text.append("options ").append(String.join(" ", options)).append('\n');
    return text.toString();
  }
}

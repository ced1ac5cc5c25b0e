package io.jrun.cni.container;

import io.jrun.cni.CniException;
import io.jrun.cni.address.IpAddress;
import io.jrun.specs.cni.CniError;
import io.jrun.specs.cni.NetworkConfig;
import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonWriter;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// A port of the host that leads to one of the container: `[HOSTIP:]HOSTPORT:PORT[/tcp|udp|sctp]`.
public record PublishedPort(
    @Nullable String hostIp, int hostPort, int containerPort, String protocol) {
  private static final Pattern TEXT =
      Pattern.compile(
          "(?:(?:\\[([^]]+)]|([^:\\[\\]]+)):)?([0-9]{1,5}):([0-9]{1,5})(?:/(tcp|udp|sctp))?");
  private static final int MAX_PORT = 65535;
  private static final String CAPABILITY = "portMappings";

  /// All that one container publishes. A port of the host leads to one of the container's.
  public static List<PublishedPort> parseAll(List<String> texts) {
    List<PublishedPort> ports = texts.stream().map(PublishedPort::parse).toList();
    for (int i = 0; i < ports.size(); i++) {
      PublishedPort one = ports.get(i);
      for (PublishedPort other : ports.subList(i + 1, ports.size())) {
        if (one.isOnHostOf(other)) throw twice(one, other);
      }
    }
    return ports;
  }

  private static CniException twice(PublishedPort one, PublishedPort other) {
    return new CniException(
        CniError.INVALID_ENVIRONMENT,
        "port %d/%s of the host is published twice: to %d and to %d"
            .formatted(one.hostPort, one.protocol, one.containerPort, other.containerPort));
  }

  public static PublishedPort parse(String text) {
    Matcher matcher = TEXT.matcher(text);
    if (!matcher.matches()) throw invalid(text);
    String ip = matcher.group(1) == null ? matcher.group(2) : matcher.group(1);
    if (ip != null && IpAddress.parse(ip).isEmpty()) throw invalid(text);
    return new PublishedPort(
        ip,
        port(matcher.group(3), text),
        port(matcher.group(4), text),
        matcher.group(5) == null ? "tcp" : matcher.group(5));
  }

  private static int port(String number, String text) {
    int port = Integer.parseInt(number);
    if (port < 1 || port > MAX_PORT) throw invalid(text);
    return port;
  }

  /// Whether both would take the same packets: a port of one address is also one of all.
  public boolean isOnHostOf(PublishedPort other) {
    return hostPort == other.hostPort
        && protocol.equals(other.protocol)
        && (takesAllOf(other) || other.takesAllOf(this) || address().equals(other.address()));
  }

  /// No address is those of both families.
  private boolean takesAllOf(PublishedPort other) {
    Optional<IpAddress> own = address();
    if (own.isEmpty()) return true;
    boolean isAny = own.get().number().signum() == 0;
    return isAny && other.address().map(a -> a.isIpv6() == own.get().isIpv6()).orElse(true);
  }

  private Optional<IpAddress> address() {
    return hostIp == null ? Optional.empty() : IpAddress.parse(hostIp);
  }

  private static CniException invalid(String text) {
    return new CniException(
        CniError.INVALID_ENVIRONMENT,
        "invalid published port \"" + text + "\": must be [hostip:]hostport:port[/tcp|udp|sctp]");
  }

  private Json toJson() {
    return new JsonWriter(Json.JsonObject.EMPTY)
        .number("hostPort", hostPort)
        .number("containerPort", containerPort)
        .string("protocol", protocol)
        .string("hostIP", hostIp)
        .object();
  }

  /// Whether a plugin of the network is told of published ports.
  static boolean arePublishedBy(NetworkConfig network) {
    return network.plugins().stream()
        .anyMatch(plugin -> plugin.capabilities().contains(CAPABILITY));
  }

  /// The capability arguments that the portmap plugin reads.
  static Json.JsonObject capabilityArgs(List<PublishedPort> ports) {
    if (ports.isEmpty()) return Json.JsonObject.EMPTY;
    return Json.JsonObject.EMPTY.with(
        CAPABILITY, new Json.JsonArray(ports.stream().map(PublishedPort::toJson).toList()));
  }
}

package io.jrun.runtime.container;

import io.jrun.cni.container.Networks;
import io.jrun.specs.cni.Dns;
import io.jrun.specs.cni.IpConfig;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// What a container of its own network namespace is to know of names: hosts(5), resolv.conf(5) and
/// hostname(5), as docker and podman write them.
///
/// @param hostname null where it has none of its own
/// @param addresses its own, without a prefix
/// @param dns what its networks ask for
record HostNames(@Nullable String hostname, List<String> addresses, Dns dns) {
  private static final Pattern LOOPBACK_SERVER =
      Pattern.compile("\\s*nameserver\\s+(127\\..*|::1)\\s*");
  private static final String LOCAL =
      """
      127.0.0.1\tlocalhost
      ::1\tlocalhost ip6-localhost ip6-loopback
      fe00::\tip6-localnet
      ff00::\tip6-mcastprefix
      ff02::1\tip6-allnodes
      ff02::2\tip6-allrouters
      """;

  HostNames {
    addresses = List.copyOf(addresses);
  }

  static HostNames of(@Nullable String hostname, List<Networks.Attached> attached) {
    return new HostNames(
        hostname,
        addresses(attached).stream().map(HostNames::withoutPrefix).toList(),
        dns(attached));
  }

  private static String withoutPrefix(String address) {
    int slash = address.indexOf('/');
    return slash < 0 ? address : address.substring(0, slash);
  }

  /// The addresses with their prefixes.
  static List<String> addresses(List<Networks.Attached> attached) {
    return attached.stream()
        .flatMap(one -> one.result().ips().stream())
        .map(IpConfig::address)
        .distinct()
        .toList();
  }

  private static Dns dns(List<Networks.Attached> attached) {
    List<Dns> all =
        attached.stream().map(one -> one.result().dns()).filter(Objects::nonNull).toList();
    String domain = all.stream().map(Dns::domain).filter(Objects::nonNull).findFirst().orElse(null);
    return new Dns(
        union(all.stream().map(Dns::nameservers).toList()),
        domain,
        union(all.stream().map(Dns::search).toList()),
        union(all.stream().map(Dns::options).toList()),
        Dns.NONE.unknown());
  }

  private static List<String> union(List<List<String>> lists) {
    Set<String> all = new LinkedHashSet<>();
    lists.forEach(all::addAll);
    return List.copyOf(all);
  }

  String hosts() {
    StringBuilder text = new StringBuilder(LOCAL);
    if (hostname != null) {
      for (String address : addresses)
        text.append(address).append('\t').append(hostname).append('\n');
    }
    return text.toString();
  }

  /// Where the networks name no servers, those of the host.
  ///
  /// @param host the host's resolv.conf
  /// @param upstream what systemd-resolved asks itself, in the same format; empty where it does not
  ///   run
  String resolvConf(String host, Supplier<String> upstream) {
    if (!dns.isEmpty()) {
      List<String> lines = new ArrayList<>();
      if (dns.domain() != null) lines.add("domain " + dns.domain());
      if (!dns.search().isEmpty()) lines.add("search " + String.join(" ", dns.search()));
      List<String> servers =
          dns.nameservers().isEmpty()
              ? reachable(host, upstream).lines().filter(HostNames::isServer).toList()
              : dns.nameservers().stream().map(server -> "nameserver " + server).toList();
      lines.addAll(servers);
      if (!dns.options().isEmpty()) lines.add("options " + String.join(" ", dns.options()));
      return String.join("\n", lines) + "\n";
    }
    return reachable(host, upstream);
  }

  /// The host's own loopback cannot be reached from another network namespace.
  private static String reachable(String host, Supplier<String> upstream) {
    String first = withoutLoopback(host);
    if (first.lines().anyMatch(HostNames::isServer)) return first;
    String other = upstream.get();
    return other.isEmpty() ? first : withoutLoopback(other);
  }

  private static boolean isServer(String line) {
    return line.strip().startsWith("nameserver");
  }

  private static String withoutLoopback(String text) {
    boolean isFree = !text.contains("127.") && !text.contains("::1");
    if (isFree && text.endsWith("\n") && text.indexOf('\r') < 0) return text;
    return text.lines()
        .filter(line -> !LOOPBACK_SERVER.matcher(line).matches())
        .map(line -> line + "\n")
        .collect(Collectors.joining());
  }
}

package io.jrun.cni.container;

import io.jrun.specs.cni.CniResult;
import io.jrun.specs.cni.Dns;
import io.jrun.specs.cni.IpConfig;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// A container's resolv.conf(5) and hosts(5), as the results of its networks ask.
public final class DnsFiles {
  private DnsFiles() {}

  /// None where no network tells a name server.
  public static Optional<String> resolvConf(List<CniResult> results) {
    Set<String> lines = new LinkedHashSet<>();
    Set<String> search = new LinkedHashSet<>();
    Set<String> options = new LinkedHashSet<>();
    for (CniResult result : results) {
      Dns dns = result.dns();
      if (dns.domain() != null) search.add(dns.domain());
      search.addAll(dns.search());
      options.addAll(dns.options());
      for (String server : dns.nameservers()) lines.add("nameserver " + server + "\n");
    }
    if (lines.isEmpty()) return Optional.empty();
    StringBuilder text = new StringBuilder();
    if (!search.isEmpty()) text.append("search ").append(String.join(" ", search)).append('\n');
    lines.forEach(text::append);
    if (!options.isEmpty()) text.append("options ").append(String.join(" ", options)).append('\n');
    return Optional.of(text.toString());
  }

  /// localhost, and the container's own addresses by its name.
  public static String hosts(String hostname, List<CniResult> results) {
    StringBuilder text =
        new StringBuilder("127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n");
    for (CniResult result : results) {
      for (IpConfig ip : result.ips()) {
        text.append(ip.address().replaceFirst("/.*", ""))
            .append('\t')
            .append(hostname)
            .append('\n');
      }
    }
    return text.toString();
  }
}

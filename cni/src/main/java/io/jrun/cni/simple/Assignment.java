package io.jrun.cni.simple;

import io.jrun.cni.CniException;
import io.jrun.cni.address.Cidr;
import io.jrun.cni.address.IpAddress;
import io.jrun.specs.cni.CniError;
import io.jrun.specs.cni.CniResult;
import io.jrun.specs.cni.Dns;
import io.jrun.specs.cni.IpConfig;
import io.jrun.specs.cni.Route;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// What a container's interface gets: addresses, each with its gateway, and routes.
record Assignment(List<Address> addresses, List<Path> paths, List<Route> routes, Dns dns) {
  /// An address of the container; `outside` is what is not masqueraded for it.
  record Address(Cidr cidr, @Nullable IpAddress gateway, Cidr outside) {}

  /// A route with its numbers parsed.
  record Path(Cidr destination, @Nullable IpAddress gateway, Route route) {}

  Assignment {
    addresses = List.copyOf(addresses);
    paths = List.copyOf(paths);
    routes = List.copyOf(routes);
  }

  /// Completes what is given: a gateway for each address where the bridge is to be one, and the
  /// default routes, unless there are such.
  static Assignment of(SimpleConfig config, List<Address> given, List<Route> routes, Dns dns) {
    List<Address> addresses = new ArrayList<>();
    for (Address address : given) {
      IpAddress gateway = address.gateway();
      if (gateway == null && config.isGateway())
        gateway = address.cidr().network().address().plus(1);
      addresses.add(new Address(address.cidr(), gateway, address.outside()));
    }
    List<Route> all = new ArrayList<>(routes);
    for (Address address : config.isDefaultGateway() ? addresses : List.<Address>of()) {
      String everything = address.cidr().isIpv6() ? "::/0" : "0.0.0.0/0";
      if (address.gateway() != null && all.stream().noneMatch(r -> r.dst().equals(everything))) {
        all.add(new Route(everything, address.gateway().toString()));
      }
    }
    List<Path> paths = new ArrayList<>();
    for (Route route : all) paths.add(path(route, addresses));
    return new Assignment(addresses, paths, all, dns);
  }

  private static Path path(Route route, List<Address> addresses) {
    Cidr destination =
        Cidr.parse(route.dst())
            .map(Cidr::network)
            .orElseThrow(() -> invalid("route destination", route.dst()));
    IpAddress gateway =
        route.gw() == null
            ? null
            : IpAddress.parse(route.gw()).orElseThrow(() -> invalid("gateway", route.gw()));
    if (gateway == null && (route.scope() == null || route.scope() == 0)) {
      gateway =
          addresses.stream()
              .filter(a -> a.cidr().isIpv6() == destination.isIpv6())
              .map(Address::gateway)
              .filter(g -> g != null)
              .findFirst()
              .orElse(null);
    }
    return new Path(destination, gateway, route);
  }

  private static CniException invalid(String what, @Nullable String text) {
    return new CniException(CniError.INVALID_CONFIG, "invalid " + what + " \"" + text + "\"");
  }

  /// Reads what an IPAM plugin gave.
  static Assignment of(SimpleConfig config, CniResult result) {
    if (result.ips().isEmpty()) {
      throw new CniException(
          CniError.INVALID_CONFIG, "IPAM plugin " + config.ipamType() + " returned no addresses");
    }
    List<Address> addresses = new ArrayList<>();
    for (IpConfig ip : result.ips()) {
      Cidr cidr = Cidr.parse(ip.address()).orElseThrow(() -> invalid("address", ip.address()));
      Optional<IpAddress> gateway = Optional.ofNullable(ip.gateway()).flatMap(IpAddress::parse);
      addresses.add(new Address(cidr, gateway.orElse(null), cidr.network()));
    }
    return of(config, addresses, result.routes(), result.dns());
  }

  List<IpConfig> ips(int interfaceIndex) {
    return addresses.stream()
        .map(a ->
            new IpConfig(
                a.cidr().toString(),
                a.gateway() == null ? null : a.gateway().toString(),
                interfaceIndex))
        .toList();
  }

  boolean hasIpv6() {
    return addresses.stream().anyMatch(a -> a.cidr().isIpv6());
  }
}

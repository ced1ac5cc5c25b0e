package io.jrun.cni.simple;

import io.jrun.cni.CniException;
import io.jrun.cni.address.Cidr;
import io.jrun.cni.netlink.Addresses;
import io.jrun.cni.netlink.Answer;
import io.jrun.cni.netlink.Link;
import io.jrun.cni.netlink.Links;
import io.jrun.cni.netlink.NetlinkSocket;
import io.jrun.cni.netlink.Request;
import io.jrun.cni.netlink.RouteEntry;
import io.jrun.cni.netlink.Routes;
import io.jrun.kernel.call.Errno;
import io.jrun.specs.cni.CniError;
import io.jrun.specs.cni.Route;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The container's side: its interface with addresses and routes.
record PodSide(NetlinkSocket socket, String ifname) {

  Link link() {
    return Links.find(socket, ifname)
        .orElseThrow(() ->
            new CniException(
                CniError.UNKNOWN_CONTAINER, "the container has no interface " + ifname));
  }

  /// Everything in one message: the kernel works it off in order.
  ///
  /// @param link the interface's index
  void configure(int link, Assignment assignment) {
    List<Request> requests = new ArrayList<>();
    for (Assignment.Address address : assignment.addresses()) {
      requests.add(Addresses.add(link, address.cidr()));
    }
    requests.add(Links.up(link, ifname));
    int firstRoute = requests.size();
    for (Assignment.Path path : assignment.paths()) {
      requests.add(Routes.add(entry(path, link)));
    }
    List<Answer> answers = socket.exchange(requests);
    for (int i = 0; i < answers.size(); i++) {
      // a route that the address brought along is there already
      if (i < firstRoute) answers.get(i).orThrow();
      else answers.get(i).orThrow(Errno.EEXIST);
    }
  }

  private static RouteEntry entry(Assignment.Path path, int link) {
    Route route = path.route();
    return new RouteEntry(
        path.destination(),
        path.gateway(),
        link,
        null,
        or(route.mtu(), 0),
        or(route.advmss(), 0),
        or(route.priority(), 0),
        or(route.table(), 0),
        or(route.scope(), -1),
        false,
        RouteEntry.RTPROT_BOOT);
  }

  private static int or(@Nullable Integer value, int absent) {
    return value == null ? absent : value;
  }

  /// Compares with what an ADD left; every difference is an error that names it.
  void check(Link link, Assignment expected) {
    if (!link.isUp()) throw new CniException(CniError.INTERNAL, ifname + " is down");
    List<Cidr> addresses = Addresses.of(socket, link.index());
    for (Assignment.Address address : expected.addresses()) {
      if (!addresses.contains(address.cidr())) {
        throw new CniException(CniError.INTERNAL, ifname + " lacks the address " + address.cidr());
      }
    }
    for (boolean six : new boolean[] {false, true}) {
      if (expected.paths().stream().noneMatch(p -> p.destination().isIpv6() == six)) continue;
      List<RouteEntry> routes = Routes.all(socket, six);
      for (Assignment.Path path : expected.paths()) {
        RouteEntry wanted = entry(path, link.index());
        if (path.destination().isIpv6() == six && routes.stream().noneMatch(wanted::leadsAs)) {
          throw new CniException(
              CniError.INTERNAL,
              ifname
                  + " lacks the route "
                  + path.destination()
                  + (path.gateway() == null ? "" : " via " + path.gateway()));
        }
      }
    }
  }
}

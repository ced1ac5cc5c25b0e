package io.jrun.cni.node;

import io.jrun.cni.CniException;
import io.jrun.cni.address.Cidr;
import io.jrun.cni.address.IpAddress;
import io.jrun.cni.netlink.Addresses;
import io.jrun.cni.netlink.Answer;
import io.jrun.cni.netlink.Link;
import io.jrun.cni.netlink.Links;
import io.jrun.cni.netlink.Neighbours;
import io.jrun.cni.netlink.NetlinkSocket;
import io.jrun.cni.netlink.Request;
import io.jrun.cni.netlink.RouteEntry;
import io.jrun.cni.netlink.Routes;
import io.jrun.kernel.call.Errno;
import io.jrun.specs.cni.CniError;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Brings this node's routes to what the list of nodes says. Routes of its own carry a protocol
/// number, so those to nodes that left are found; what others made is left alone.
public final class NodeRoutes {
  /// Marks a route as SimpleCNI's (rtnetlink(7), rtm_protocol).
  public static final int PROTOCOL = 106;

  private static final int VXLAN_OVERHEAD = 50;
  private static final int IPIP_OVERHEAD = 20;

  private final NetlinkSocket host;
  private final ClusterConfig config;

  public NodeRoutes(NetlinkSocket host, ClusterConfig config) {
    this.host = host;
    this.config = config;
  }

  /// Makes what is missing and removes what is no longer wanted.
  ///
  /// @return of [Mode#STATIC], the commands that somebody has yet to run; else nothing
  public List<String> sync(NodeList list) {
    Node self = list.self(config.node());
    List<Node> others = list.others(self);
    Link underlay = underlay(self);
    return switch (config.mode()) {
      case STATIC -> missing(underlay, others);
      case HOST_GW -> {
        apply(others.stream().map(node -> direct(underlay, node)).toList());
        yield List.of();
      }
      case VXLAN -> {
        vxlan(underlay, self, others);
        yield List.of();
      }
      case IPIP -> {
        ipip(underlay, self, others);
        yield List.of();
      }
    };
  }

  /// The interface that has this node's address.
  private Link underlay(Node self) {
    for (Link link : Links.all(host)) {
      boolean hasAddress =
          Addresses.of(host, link.index()).stream()
              .anyMatch(cidr -> cidr.address().equals(self.address()));
      if (hasAddress) return link;
    }
    throw new CniException(
        CniError.INVALID_CONFIG,
        "no interface has the address " + self.address() + " of node " + self.name());
  }

  private static RouteEntry direct(Link underlay, Node node) {
    return new RouteEntry(node.subnet(), node.address(), underlay.index());
  }

  private List<String> missing(Link underlay, List<Node> others) {
    List<RouteEntry> present = Routes.all(host, false);
    List<String> commands = new ArrayList<>();
    for (Node node : others) {
      if (present.stream().noneMatch(direct(underlay, node)::leadsAs)) {
        commands.add(
            "ip route add " + node.subnet() + " via " + node.address() + " dev " + underlay.name());
      }
    }
    return commands;
  }

  private void apply(List<RouteEntry> wanted) {
    List<Request> requests = new ArrayList<>();
    List<RouteEntry> present = Routes.all(host, false);
    for (RouteEntry route : wanted) {
      if (present.stream().noneMatch(route::leadsAs)) requests.add(Routes.replace(route, PROTOCOL));
    }
    for (RouteEntry route : present) {
      if (route.protocol() == PROTOCOL
          && wanted.stream().noneMatch(w -> w.destination().equals(route.destination()))) {
        requests.add(Routes.delete(route));
      }
    }
    host.perform(requests);
  }

  /// The first address of a node's subnet is that of its vxlan device.
  private static IpAddress inTunnel(Node node) {
    return node.subnet().address();
  }

  private void vxlan(Link underlay, Node self, List<Node> others) {
    Link device = device(underlay, self);
    Cidr own = new Cidr(inTunnel(self), 32);
    host.attempt(Addresses.add(device.index(), own)).orThrow(Errno.EEXIST);
    Set<String> macs = new HashSet<>();
    List<Request> requests = new ArrayList<>();
    // in this order a packet never finds a route whose neighbour is not known yet
    for (Node node : others) {
      macs.add(node.tunnelMac().text());
      requests.add(Neighbours.set(device.index(), inTunnel(node), node.tunnelMac()));
      requests.add(Neighbours.setForwarding(device.index(), node.tunnelMac(), node.address()));
    }
    host.perform(requests);
    apply(
        others.stream()
            .map(node -> new RouteEntry(node.subnet(), inTunnel(node), device.index()).onlink())
            .toList());
    forget(device, macs);
  }

  /// Each node's containers are behind a route whose gateway is that node's own address, which the
  /// device takes as the outer destination.
  private void ipip(Link underlay, Node self, List<Node> others) {
    if (self.address().isIpv6() || self.subnet().isIpv6()) {
      throw new CniException(CniError.INVALID_CONFIG, "mode ipip is of IPv4 only");
    }
    String name = config.device();
    if (Links.find(host, name).isEmpty()) {
      Answer made =
          host.attempt(
              Links.ipip(name, underlay.index(), self.address(), underlay.mtu() - IPIP_OVERHEAD));
      if (made.is(Errno.EOPNOTSUPP)) {
        throw new CniException(
            CniError.NOT_AVAILABLE, "mode ipip: this kernel has no ipip devices (CONFIG_NET_IPIP)");
      }
      made.orThrow(Errno.EEXIST);
    }
    Link device = Links.find(host, name).orElseThrow();
    host.attempt(Addresses.add(device.index(), new Cidr(inTunnel(self), 32))).orThrow(Errno.EEXIST);
    if (!device.isUp()) host.perform(Links.up(device.index(), name));
    apply(
        others.stream()
            .map(node -> new RouteEntry(node.subnet(), node.address(), device.index()).onlink())
            .toList());
  }

  private Link device(Link underlay, Node self) {
    String name = config.device();
    Optional<Link> found = Links.find(host, name);
    boolean isRight =
        found.isPresent()
            && found.get().kind().equals("vxlan")
            && found.get().mac().equals(self.tunnelMac().text());
    if (found.isPresent() && !isRight) host.perform(Links.delete(name));
    if (!isRight) {
      Request vxlan =
          Links.vxlan(
              name,
              config.vni(),
              underlay.index(),
              self.address(),
              config.port(),
              self.tunnelMac(),
              underlay.mtu() - VXLAN_OVERHEAD);
      host.attempt(vxlan).orThrow(Errno.EEXIST);
      found = Links.find(host, name);
    }
    Link device = found.orElseThrow();
    if (!device.isUp()) host.perform(Links.up(device.index(), name));
    return device;
  }

  private void forget(Link device, Set<String> wanted) {
    List<Request> requests = new ArrayList<>();
    for (Neighbours.Entry entry : Neighbours.forwarding(host, device.index())) {
      if (entry.address() != null && !wanted.contains(entry.mac())) {
        requests.add(
            Neighbours.deleteForwarding(device.index(), entry.hardware(), entry.address()));
      }
    }
    for (Neighbours.Entry entry : Neighbours.all(host, device.index(), false)) {
      if (entry.address() != null && entry.isPermanent() && !wanted.contains(entry.mac())) {
        requests.add(Neighbours.delete(device.index(), entry.address(), entry.hardware()));
      }
    }
    host.perform(requests);
  }

  /// What a container's packets may have at most; zero for the kernel's default.
  public int mtu() {
    return config.mode() == Mode.VXLAN || config.mode() == Mode.IPIP
        ? Links.find(host, config.device()).map(Link::mtu).orElse(0)
        : 0;
  }
}

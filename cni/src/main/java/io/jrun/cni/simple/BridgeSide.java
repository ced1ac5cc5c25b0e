package io.jrun.cni.simple;

import io.jrun.cni.CniException;
import io.jrun.cni.address.Cidr;
import io.jrun.cni.netlink.Addresses;
import io.jrun.cni.netlink.Answer;
import io.jrun.cni.netlink.Link;
import io.jrun.cni.netlink.Links;
import io.jrun.cni.netlink.Mac;
import io.jrun.cni.netlink.Neighbours;
import io.jrun.cni.netlink.NetlinkSocket;
import io.jrun.cni.netlink.NetworkNamespace;
import io.jrun.cni.netlink.Request;
import io.jrun.kernel.call.Errno;
import io.jrun.specs.cni.CniError;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The host's side: the bridge, its gateway addresses, and the host's end of a container's pair.
record BridgeSide(NetlinkSocket host, SimpleConfig config, LinkRemoval removal) {

  /// What has the bridge's name now.
  Optional<Link> find() {
    return Links.find(host, config.bridge());
  }

  /// The bridge, made and brought up where it is not there; concurrent callers make one.
  ///
  /// @param found by [#find]
  Link bridge(Optional<Link> found) {
    String name = config.bridge();
    if (found.isEmpty()) {
      // an address of its own keeps the bridge's from changing with its ports
      host.attempt(Links.bridge(name, config.mtu(), config.vlan() != 0, Mac.random()))
          .orThrow(Errno.EEXIST);
      return bridge(Optional.of(made(name)));
    }
    Link bridge = found.get();
    if (!bridge.kind().equals("bridge")) {
      throw new CniException(CniError.INVALID_CONFIG, name + " exists and is no bridge");
    }
    int wanted = Link.IFF_UP | (config.promisc() ? Link.IFF_PROMISC : 0);
    if ((bridge.flags() & wanted) != wanted) {
      host.perform(Links.flags(bridge.index(), name, wanted, 0));
    }
    return bridge;
  }

  private Link made(String name) {
    return find()
        .orElseThrow(() -> new CniException(CniError.INTERNAL, "bridge " + name + " vanished"));
  }

  /// Makes the pair, its host's end a port of the bridge, and gives the bridge the gateways'
  /// addresses; returns that end. The host is told who has the container's addresses, which may
  /// have been another container's.
  Link attach(
      Link bridge,
      NetworkNamespace namespace,
      String hostName,
      Links.VethEnd inside,
      Mac mac,
      Assignment assignment) {
    List<Request> requests = new ArrayList<>();
    requests.add(
        Links.veth(
            new Links.VethEnd(hostName, null, inside.mtu()),
            inside,
            namespace.descriptor().number()));
    // before it is up: an interface that is up and waits for its peer is put out of use by a look
    // at it, for which the kernel waits a grace period
    requests.add(Links.get(hostName));
    // a port needs no address, and trying one floods all others
    requests.add(Links.withoutIpv6Address(hostName));
    requests.add(Links.portUp(hostName, bridge.index(), config.name()));
    List<Cidr> gateways = new ArrayList<>();
    for (Assignment.Address address : assignment.addresses()) {
      if (!config.isGateway() || address.gateway() == null) continue;
      Cidr gateway = new Cidr(address.gateway(), address.cidr().length());
      gateways.add(gateway);
      requests.add(Addresses.add(bridge.index(), gateway));
      requests.add(Neighbours.learned(bridge.index(), address.cidr().address(), mac));
    }
    List<Answer> answers = host.exchange(requests);
    if (answers.getFirst().is(Errno.EEXIST)) {
      throw new CniException(
          CniError.INTERNAL,
          "container interface "
              + inside.name()
              + " or its host end "
              + hostName
              + " exists already");
    }
    answers.getFirst().orThrow();
    try {
      Link end = Links.of(answers.get(1)).orElseThrow();
      answers.get(2).orThrow(Errno.EAFNOSUPPORT);
      answers.get(3).orThrow();
      for (int i = 0; i < gateways.size(); i++) {
        if (answers.get(4 + 2 * i).orThrow(Errno.EEXIST).succeeded()) {
          settle(bridge, gateways.get(i));
        }
        // ENOBUFS: the machine's table is full, so there is no former holder's entry either
        answers.get(5 + 2 * i).orThrow(Errno.ENOBUFS);
      }
      host.perform(portRequests(end));
      return end;
    } catch (RuntimeException e) {
      detach(hostName);
      throw e;
    }
  }

  private List<Request> portRequests(Link end) {
    List<Request> more = new ArrayList<>();
    if (config.hairpin() || config.portIsolation()) {
      more.add(Links.portFlags(end.index(), end.name(), config.hairpin(), config.portIsolation()));
    }
    if (config.vlan() != 0) more.add(Links.portVlan(end.index(), end.name(), config.vlan()));
    return more;
  }

  /// A new gateway address beside another one of the same network is a mistake, or forced.
  private void settle(Link bridge, Cidr added) {
    for (Cidr other : Addresses.of(host, bridge.index())) {
      boolean isLinkLocal = other.isIpv6() && other.toString().startsWith("fe80:");
      if (other.equals(added) || other.isIpv6() != added.isIpv6() || isLinkLocal) continue;
      if (other.isIpv6() && !other.overlaps(added)) continue;
      if (config.forceAddress() || wasThisNodes(other)) {
        host.perform(Addresses.delete(bridge.index(), other));
      } else {
        host.perform(Addresses.delete(bridge.index(), added));
        throw new CniException(
            CniError.INVALID_CONFIG,
            "bridge " + bridge.name() + " has the address " + other + " already, not " + added);
      }
    }
  }

  /// Whether it is the gateway of a subnet that this node had: it gets another one only when no
  /// container is left in that.
  private boolean wasThisNodes(Cidr other) {
    AddressConfig own = config.addresses();
    return config.cluster() != null
        && own != null
        && own.cluster() != null
        && own.cluster().contains(other.address());
  }

  /// Removes the pair; one that is gone is as it should be.
  void detach(String hostName) {
    removal.remove(host, hostName);
  }
}

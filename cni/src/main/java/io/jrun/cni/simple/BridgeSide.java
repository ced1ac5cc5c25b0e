package io.jrun.cni.simple;

import io.jrun.cni.CniException;
import io.jrun.cni.address.Cidr;
import io.jrun.cni.address.IpAddress;
import io.jrun.cni.netlink.Addresses;
import io.jrun.cni.netlink.Answer;
import io.jrun.cni.netlink.Link;
import io.jrun.cni.netlink.Links;
import io.jrun.cni.netlink.Mac;
import io.jrun.cni.netlink.Neighbours;
import io.jrun.cni.netlink.NetlinkSocket;
import io.jrun.cni.netlink.Request;
import io.jrun.kernel.call.Errno;
import io.jrun.specs.cni.CniError;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The host's side: the bridge, its gateway addresses, and the host's end of a container's pair.
record BridgeSide(NetlinkSocket host, SimpleConfig config) {
  private static final SecureRandom RANDOM = new SecureRandom();

  /// The bridge, made and brought up where it is not there; concurrent callers make one.
  Link bridge() {
    String name = config.bridge();
    Optional<Link> found = Links.find(host, name);
    if (found.isEmpty()) {
      // an address of its own keeps the bridge's from changing with its ports
      host.attempt(Links.bridge(name, config.mtu(), config.vlan() != 0, ownMac()))
          .orThrow(Errno.EEXIST);
      found = Links.find(host, name);
    }
    Link bridge =
        found.orElseThrow(
            () -> new CniException(CniError.INTERNAL, "bridge " + name + " vanished"));
    if (!bridge.kind().equals("bridge")) {
      throw new CniException(CniError.INVALID_CONFIG, name + " exists and is no bridge");
    }
    int wanted = Link.IFF_UP | (config.promisc() ? Link.IFF_PROMISC : 0);
    if ((bridge.flags() & wanted) != wanted) {
      host.perform(Links.flags(bridge.index(), name, wanted, 0));
    }
    return bridge;
  }

  private static Mac ownMac() {
    byte[] random = new byte[4];
    RANDOM.nextBytes(random);
    return Mac.of(IpAddress.of(random));
  }

  /// Makes the pair, its host's end a port of the bridge; returns that end.
  Link attach(Link bridge, Sandbox sandbox, String hostName, String ifname, @Nullable Mac mac) {
    Request pair =
        Links.veth(
            new Links.VethEnd(hostName, null, config.mtu()),
            new Links.VethEnd(ifname, mac, config.mtu()),
            sandbox.namespace().number());
    List<Answer> answers =
        host.exchange(
            List.of(
                pair, Links.portUp(hostName, bridge.index(), config.name()), Links.get(hostName)));
    if (answers.getFirst().is(Errno.EEXIST)) {
      throw new CniException(
          CniError.INTERNAL,
          "container interface " + ifname + " or its host end " + hostName + " exists already");
    }
    answers.getFirst().orThrow();
    try {
      answers.forEach(Answer::orThrow);
      Link end = Links.of(answers.get(2)).orElseThrow();
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

  /// Gives the bridge the gateways' addresses, and tells the host who has the container's ones, as
  /// an address may have been another container's.
  void gateways(Link bridge, Assignment assignment, String podMac) {
    for (Assignment.Address address : assignment.addresses()) {
      IpAddress gateway = address.gateway();
      if (gateway == null) continue;
      Cidr own = new Cidr(gateway, address.cidr().length());
      if (host.attempt(Addresses.add(bridge.index(), own)).orThrow(Errno.EEXIST).succeeded()) {
        settle(bridge, own);
      }
      Mac.parse(podMac)
          .ifPresent(mac ->
              host.perform(Neighbours.learned(bridge.index(), address.cidr().address(), mac)));
    }
  }

  /// A new gateway address beside another one of the same network is a mistake, or forced.
  private void settle(Link bridge, Cidr added) {
    for (Cidr other : Addresses.of(host, bridge.index())) {
      boolean isLinkLocal = other.isIpv6() && other.toString().startsWith("fe80:");
      if (other.equals(added) || other.isIpv6() != added.isIpv6() || isLinkLocal) continue;
      if (other.isIpv6() && !other.overlaps(added)) continue;
      if (config.forceAddress()) {
        host.perform(Addresses.delete(bridge.index(), other));
      } else {
        host.perform(Addresses.delete(bridge.index(), added));
        throw new CniException(
            CniError.INVALID_CONFIG,
            "bridge " + bridge.name() + " has the address " + other + " already, not " + added);
      }
    }
  }

  /// Removes the pair; one that is gone is as it should be.
  void detach(String hostName) {
    host.attempt(Links.delete(hostName)).orThrow(Errno.ENODEV);
  }
}

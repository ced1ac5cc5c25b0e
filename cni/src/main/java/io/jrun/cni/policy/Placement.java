package io.jrun.cni.policy;

import io.jrun.cni.address.IpAddress;
import io.jrun.cni.nftables.SetElement;
import io.jrun.cni.nftables.SetKey;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Of which sets of a [Ruleset] an endpoint is.
final class Placement {
  private final PolicyIndex policies;
  private final Peer.Namespaces namespaces;
  private final Map<String, String> bridgeMacs = new HashMap<>();

  Placement(PolicyIndex policies, Peer.Namespaces namespaces) {
    this.policies = policies;
    this.namespaces = namespaces;
  }

  /// Tells where the frames of a bridge's ports are to be sent for it to route them.
  void bridge(String name, String mac) {
    bridgeMacs.put(name, mac);
  }

  /// That a bridge is one of ours.
  static SetElement ofBridge(String name) {
    return element(Ruleset.INET, "np_bridges", SetKey.ifname(name));
  }

  private static SetElement element(String family, String set, SetKey.Part... key) {
    return new SetElement(family, set, SetKey.of(key), null);
  }

  /// Everything that an endpoint is in; its bridge has been told.
  List<SetElement> of(Endpoint endpoint) {
    List<SetElement> elements = new ArrayList<>();
    String mac = bridgeMacs.get(endpoint.bridge());
    if (endpoint.isLocal() && mac != null) {
      elements.add(
          new SetElement(
              Ruleset.BRIDGE,
              "np_macs",
              SetKey.of(SetKey.ifname(endpoint.link())),
              SetKey.of(SetKey.mac(mac))));
      elements.add(element(Ruleset.BRIDGE, "np_ports", SetKey.ifname(endpoint.link())));
    }
    for (IpAddress address : endpoint.addresses()) {
      for (int index : policies.about(endpoint.identity())) {
        NetworkPolicy policy = policies.policies().get(index);
        String id = policies.ids().get(index);
        if (endpoint.isLocal() && policy.selects(endpoint.identity())) {
          isolate(endpoint, policy, id, address, elements);
        }
        if (policy.isOfIngress()) {
          peerOf(policy, id + "_i", policy.ingress(), endpoint, address, elements);
        }
        if (policy.isOfEgress()) {
          peerOf(policy, id + "_e", policy.egress(), endpoint, address, elements);
        }
      }
    }
    return elements.stream().distinct().toList();
  }

  private static void isolate(
      Endpoint endpoint,
      NetworkPolicy policy,
      String id,
      IpAddress address,
      List<SetElement> into) {
    SetKey.Part ip = SetKey.address(address);
    SetKey.Part link = SetKey.ifname(endpoint.link());
    String digit = AddressFamily.of(address).digit();
    into.add(element(Ruleset.INET, id + "_sel" + digit, ip));
    into.add(element(Ruleset.INET, "np_self" + digit, ip, ip));
    into.add(element(Ruleset.BRIDGE, "np_iso" + digit, ip));
    if (policy.isOfIngress()) {
      into.add(element(Ruleset.INET, "np_in" + digit, ip));
      into.add(element(Ruleset.BRIDGE, "np_inports", link));
    }
    if (policy.isOfEgress()) {
      into.add(element(Ruleset.INET, "np_out" + digit, ip));
      into.add(element(Ruleset.BRIDGE, "np_outports", link));
      into.add(element(Ruleset.BRIDGE, "np_bound" + digit, link, ip));
    }
  }

  /// @param prefix of the names of its rules' sets
  private void peerOf(
      NetworkPolicy policy,
      String prefix,
      List<NetworkPolicy.Rule> rules,
      Endpoint endpoint,
      IpAddress address,
      List<SetElement> into) {
    SetKey.Part ip = SetKey.address(address);
    String digit = AddressFamily.of(address).digit();
    for (int i = 0; i < rules.size(); i++) {
      boolean isPeer =
          rules.get(i).peers().stream()
              .anyMatch(peer ->
                  peer instanceof Peer.Selected selected
                      && selected.matches(endpoint.identity(), policy.namespace(), namespaces));
      if (isPeer) into.add(element(Ruleset.INET, prefix + i + "_pod" + digit, ip));
      for (PortRange range : rules.get(i).ports()) {
        for (NamedPort port : endpoint.identity().ports()) {
          if (!port.name().equals(range.name()) || port.protocol() != range.protocol()) continue;
          into.add(
              element(
                  Ruleset.INET,
                  prefix + i + "_name" + digit,
                  ip,
                  SetKey.protocol(port.protocol().word(), port.protocol().number()),
                  SetKey.port(port.port())));
        }
      }
    }
  }
}

package io.jrun.cni.policy;

import io.jrun.cni.address.IpAddress;
import io.jrun.cni.netlink.Links;
import io.jrun.cni.netlink.NetlinkSocket;
import io.jrun.cni.nftables.Nftables;
import io.jrun.cni.nftables.SetElement;
import io.jrun.kernel.Kernel;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/// The kernel's rules and sets, kept as the files of a [PolicyStore] say. Whoever changes them
/// holds the store's lock.
final class PoliciesInForce {
  private final Kernel kernel;
  private final PolicyStore store;
  private final PolicyTables tables;
  private volatile @Nullable Generation known;

  PoliciesInForce(Kernel kernel, Nftables nftables, PolicyStore store) {
    this.kernel = kernel;
    this.store = store;
    this.tables = new PolicyTables(kernel, nftables);
  }

  /// The policies of a generation.
  private record Generation(String name, PolicyIndex policies, Peer.Namespaces namespaces) {}

  /// As the files say.
  private Generation now() {
    String name = store.generation();
    Generation now = known;
    if (now == null || !now.name().equals(name)) {
      now =
          new Generation(
              name, PolicyIndex.of(store.policies()), new Peer.Namespaces(store.namespaces()));
      known = now;
    }
    return now;
  }

  boolean isIsolated(Endpoint endpoint) {
    return now().policies().isIsolated(endpoint);
  }

  /// Brings an endpoint into its sets.
  void add(Endpoint endpoint) {
    if (store.isChanging() || !tables.change(elements(endpoint, true), true)) restore();
  }

  /// Takes an endpoint out of its sets.
  ///
  /// @return false where that takes a [#restore], once the store has forgotten it
  boolean remove(Endpoint endpoint) {
    return !store.isChanging() && tables.change(elements(endpoint, false), false);
  }

  /// @param isNew whether its bridge may be new, too
  private List<SetElement> elements(Endpoint endpoint, boolean isNew) {
    Generation now = now();
    Placement placement = new Placement(now.policies(), now.namespaces());
    List<SetElement> elements = new ArrayList<>();
    bridges(
        Set.of(endpoint.bridge()),
        (name, mac) -> {
          placement.bridge(name, mac);
          if (isNew) elements.add(Placement.ofBridge(name));
        });
    elements.addAll(placement.of(endpoint));
    return elements;
  }

  /// Brings the kernel to what the files say.
  void restore() {
    known = null; // an apply that was cut off may have changed files
    replace(store.policies(), new Peer.Namespaces(store.namespaces()));
    store.changing(false);
  }

  /// Changes the kernel's rules. Until [PolicyStore#changing] says that the files have followed,
  /// the next who comes brings the rules back to the files.
  void change(List<NetworkPolicy> policies, Map<String, Map<String, String>> namespaces) {
    boolean wasChanging = store.isChanging();
    store.changing(true);
    store.renewGeneration();
    try {
      replace(policies, new Peer.Namespaces(namespaces));
    } catch (RuntimeException e) {
      if (!wasChanging) store.changing(false);
      throw e;
    }
  }

  private void replace(List<NetworkPolicy> policies, Peer.Namespaces namespaces) {
    if (policies.isEmpty()) {
      tables.clear();
      return;
    }
    Ruleset all = new Ruleset(policies, namespaces);
    Set<String> names = new TreeSet<>();
    List<Endpoint> local = withoutFormerHolders(store.endpoints());
    for (Endpoint endpoint : local) if (endpoint.isRouted()) names.add(endpoint.bridge());
    bridges(names, all::bridge);
    local.forEach(all::place);
    store.remote().forEach(all::place);
    tables.replace(all);
  }

  /// A container that ended without a DEL has no interface any more, and somebody else may have its
  /// address. One without an interface and alone with its address is an ADD that is under way.
  private List<Endpoint> withoutFormerHolders(List<Endpoint> all) {
    Set<String> links = new TreeSet<>();
    try (NetlinkSocket host = NetlinkSocket.open(kernel)) {
      Links.all(host).forEach(link -> links.add(link.name()));
    }
    Set<String> present = new TreeSet<>();
    for (Endpoint one : all) {
      if (links.contains(one.link())) one.addresses().forEach(a -> present.add(key(one, a)));
    }
    return all.stream()
        .filter(one ->
            links.contains(one.link())
                || one.addresses().stream().noneMatch(a -> present.contains(key(one, a))))
        .toList();
  }

  private static String key(Endpoint endpoint, IpAddress address) {
    return endpoint.network() + " " + address;
  }

  /// @param told gets the name and the hardware address of each that is there
  private void bridges(Set<String> names, BiConsumer<String, String> told) {
    try (NetlinkSocket host = NetlinkSocket.open(kernel)) {
      for (String name : names) {
        Links.find(host, name).ifPresent(link -> told.accept(name, link.mac()));
      }
    }
  }

  /// What has been counted, by the counter's name.
  Map<String, PolicyTables.Count> counts() {
    return tables.counts();
  }
}

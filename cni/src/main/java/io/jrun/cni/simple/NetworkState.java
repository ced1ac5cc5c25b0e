package io.jrun.cni.simple;

import io.jrun.cni.CniException;
import io.jrun.cni.address.Cidr;
import io.jrun.cni.address.IpAddress;
import io.jrun.cni.ipam.Lease;
import io.jrun.cni.ipam.LeaseStore;
import io.jrun.cni.nftables.Nftables;
import io.jrun.cni.node.ClusterConfig;
import io.jrun.cni.node.Membership;
import io.jrun.cni.node.Memberships;
import io.jrun.cni.node.NodeAgent;
import io.jrun.cni.node.NodePlace;
import io.jrun.cni.policy.Endpoint;
import io.jrun.cni.policy.Identity;
import io.jrun.cni.policy.Policies;
import io.jrun.kernel.Kernel;
import io.jrun.specs.cni.Attachment;
import io.jrun.specs.cni.CniError;
import io.jrun.specs.json.Json;
import io.jrun.specs.json.SpecException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// What networks keep between calls, and what of it can be lost: read leases, connections to a
/// store of nodes.
final class NetworkState {
  private final Kernel kernel;
  private final Nftables nftables;
  private final Memberships memberships = new Memberships();
  private final Map<Path, LeaseStore> leases = new ConcurrentHashMap<>();
  private final Map<Path, Policies> policies = new ConcurrentHashMap<>();

  NetworkState(Kernel kernel, Nftables nftables) {
    this.kernel = kernel;
    this.nftables = nftables;
  }

  LeaseStore leases(Path directory) {
    return leases.computeIfAbsent(directory, d -> new LeaseStore(kernel, d));
  }

  Policies policies(Path directory) {
    return policies.computeIfAbsent(directory, d -> new Policies(kernel, nftables, d));
  }

  /// This node among those of the network, which must have a mode across nodes.
  Membership membership(SimpleConfig config) {
    ClusterConfig cluster = config.cluster();
    AddressConfig addresses = config.addresses();
    if (cluster == null || addresses == null) {
      throw new CniException(CniError.INVALID_CONFIG, "the network has no mode across nodes");
    }
    Cidr all = addresses.cluster();
    LeaseStore store = leases(addresses.directory());
    NodePlace place =
        new NodePlace(
            kernel,
            config.name(),
            cluster.node(),
            all == null ? Cidr.parse("0.0.0.0/0").orElseThrow() : all.network(),
            addresses.directory(),
            () -> store.leases().stream().map(Lease::address).toList(),
            () -> Memberships.defaultAddress(kernel, false));
    return memberships.of(cluster, place);
  }

  /// What other nodes may know of an attachment.
  static Json.JsonObject holder(Attachment attachment, Identity identity) {
    return new Endpoint("", attachment, List.of(), identity, "", "", false).holderJson();
  }

  NodeAgent agent(SimpleConfig config) {
    Membership membership = membership(config);
    ClusterConfig cluster = config.cluster();
    AddressConfig addresses = config.addresses();
    if (cluster == null || addresses == null) throw new IllegalStateException();
    LeaseStore store = leases(addresses.directory());
    Policies known = policies(config.policyDirectory());
    return new NodeAgent(
        kernel,
        cluster,
        membership,
        () -> holders(store, known),
        remote -> known.remote(config.name(), endpoints(config.name(), remote)));
  }

  private static Map<IpAddress, Json.JsonObject> holders(LeaseStore store, Policies policies) {
    Map<IpAddress, Json.JsonObject> holders = new HashMap<>();
    for (Lease lease : store.leases()) {
      Identity identity =
          policies
              .endpoint(HostVeth.name(lease.holder()))
              .map(Endpoint::identity)
              .orElse(Identity.NONE);
      holders.put(lease.address(), holder(lease.holder(), identity));
    }
    return holders;
  }

  private static List<Endpoint> endpoints(String network, Map<IpAddress, Json.JsonObject> remote) {
    List<Endpoint> endpoints = new ArrayList<>();
    remote.entrySet().stream()
        .sorted(Map.Entry.comparingByKey())
        .forEach(entry -> {
          try {
            endpoints.add(Endpoint.remote(network, entry.getKey(), entry.getValue()));
          } catch (SpecException e) {
            // what is no holder cannot be selected
          }
        });
    return endpoints;
  }
}

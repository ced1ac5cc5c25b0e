package io.jrun.cni.simple;

import io.jrun.cni.CniException;
import io.jrun.cni.address.Cidr;
import io.jrun.cni.address.IpAddress;
import io.jrun.cni.ipam.AddressRange;
import io.jrun.cni.ipam.Lease;
import io.jrun.cni.ipam.LeaseStore;
import io.jrun.cni.ipam.NodeFile;
import io.jrun.cni.node.Membership;
import io.jrun.cni.plugin.PluginCall;
import io.jrun.kernel.Kernel;
import io.jrun.specs.cni.Attachment;
import io.jrun.specs.cni.CniError;
import io.jrun.specs.cni.Route;
import io.jrun.specs.json.Json;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// SimpleCNI's own addresses: of the node's part of the cluster's subnet where the node file tells
/// it, else of the whole.
///
/// @param membership this node among others; null for a network of one node
record OwnIpam(
    Kernel kernel,
    SimpleConfig config,
    AddressConfig addresses,
    LeaseStore store,
    PluginCall call,
    @Nullable Membership membership)
    implements Ipam {

  private Optional<NodeFile> node() {
    Cidr cluster = addresses.cluster();
    if (cluster == null || cluster.isIpv6() || config.cluster() != null) return Optional.empty();
    Optional<NodeFile> node = NodeFile.read(addresses.nodeFile());
    node.ifPresent(file -> {
      if (!cluster.contains(file.subnet().address()) || file.subnet().length() < cluster.length()) {
        throw new CniException(
            CniError.INVALID_CONFIG,
            addresses.nodeFile() + ": " + file.subnet() + " is not of " + cluster.network());
      }
    });
    return node;
  }

  /// The node's part takes the place of the cluster's.
  private List<List<AddressRange>> ranges(Optional<NodeFile> file) {
    AddressRange part;
    if (membership != null) {
      part = AddressRange.of(membership.self().subnet(), null, addresses.reserved());
    } else if (file.isPresent()) {
      part = AddressRange.of(file.get().subnet(), file.get().gateway(), addresses.reserved());
    } else {
      return addresses.ranges();
    }
    List<List<AddressRange>> ranges = new ArrayList<>();
    ranges.add(List.of(part));
    ranges.addAll(addresses.ranges().subList(1, addresses.ranges().size()));
    return ranges;
  }

  @Override
  public Assignment add() {
    LeaseStore.Request request =
        new LeaseStore.Request(
            Ipam.holder(call), call.netns(), addresses.ranges(), addresses.wanted(), null);
    if (membership != null) membership.self(); // it may ask others: not while the lock is held
    NodeFile[] read = new NodeFile[1];
    List<LeaseStore.Given> given =
        store.allocate(
            request,
            asked -> {
              Optional<NodeFile> node = node();
              read[0] = node.orElse(null);
              return new LeaseStore.Request(
                  asked.holder(),
                  asked.netns(),
                  ranges(node),
                  asked.wanted(),
                  node.map(NodeFile::last).orElse(null));
            },
            leases -> {
              if (read[0] != null) {
                read[0].given(kernel, addresses.nodeFile(), leases.getFirst().address());
              }
            });
    claim(given);
    List<Assignment.Address> result = new ArrayList<>();
    for (LeaseStore.Given one : given) {
      Cidr subnet = one.range().subnet();
      Cidr cluster = addresses.cluster();
      Cidr outside =
          cluster != null && cluster.contains(one.address()) ? cluster.network() : subnet;
      result.add(
          new Assignment.Address(
              new Cidr(one.address(), subnet.length()), one.range().gateway(), outside));
    }
    return Assignment.of(config, result, routes(result), addresses.dns());
  }

  private void claim(List<LeaseStore.Given> given) {
    if (membership == null) return;
    Json.JsonObject holder = NetworkState.holder(Ipam.holder(call), config.identity());
    Map<IpAddress, Json.JsonObject> holders = new HashMap<>();
    for (LeaseStore.Given one : given) holders.put(one.address(), holder);
    try {
      membership.claim(holders);
    } catch (RuntimeException e) {
      store.release(Ipam.holder(call));
      throw e;
    }
  }

  /// Where the bridge is a gateway but not the default one, other nodes' containers are still
  /// reached through it.
  private List<Route> routes(List<Assignment.Address> given) {
    List<Route> routes = new ArrayList<>(addresses.routes());
    if (!config.isGateway() || config.isDefaultGateway()) return routes;
    for (Assignment.Address address : given) {
      if (!address.outside().equals(address.cidr().network()) && address.gateway() != null) {
        routes.add(new Route(address.outside().toString(), address.gateway().toString()));
      }
    }
    return routes;
  }

  @Override
  public void delete() {
    List<IpAddress> released = store.release(Ipam.holder(call));
    if (membership != null) membership.release(released);
  }

  @Override
  public void check() {
    Attachment holder = Ipam.holder(call);
    if (store.of(holder).isEmpty()) {
      throw new CniException(
          CniError.UNKNOWN_CONTAINER,
          "no address is leased to " + holder.containerId() + " " + holder.ifname());
    }
  }

  @Override
  public void gc() {
    List<Lease> gone = store.retain(config.valid());
    if (membership != null) membership.release(gone.stream().map(Lease::address).toList());
  }

  @Override
  public void status() {
    List<List<AddressRange>> ranges;
    try {
      ranges = ranges(node());
    } catch (CniException e) {
      if (e.code() != CniError.TRY_AGAIN_LATER) throw e;
      throw new CniException(CniError.NOT_AVAILABLE, String.valueOf(e.getMessage()), e);
    }
    if (!store.hasFree(ranges)) {
      throw new CniException(CniError.NOT_AVAILABLE, "no addresses left");
    }
  }
}

package io.jrun.cni.node;

import io.jrun.cni.CniException;
import io.jrun.cni.address.Cidr;
import io.jrun.cni.address.IpAddress;
import io.jrun.cni.etcd.EtcdClients;
import io.jrun.cni.netlink.Addresses;
import io.jrun.cni.netlink.NetlinkSocket;
import io.jrun.cni.netlink.RouteEntry;
import io.jrun.cni.netlink.Routes;
import io.jrun.kernel.Kernel;
import io.jrun.specs.cni.CniError;
import java.util.Optional;

/// Makes memberships; it keeps the connections that they share.
public final class Memberships {
  private final EtcdClients clients = new EtcdClients();

  public Membership of(ClusterConfig config, NodePlace place) {
    return switch (config.store()) {
      case StoreConfig.InFile(java.nio.file.Path path) -> new FileMembership(path, config.node());
      case StoreConfig.InEtcd etcd -> new EtcdMembership(clients, place, etcd);
    };
  }

  /// The address of the interface that the default route goes through.
  public static IpAddress defaultAddress(Kernel kernel, boolean isIpv6) {
    try (NetlinkSocket host = NetlinkSocket.open(kernel)) {
      for (RouteEntry route : Routes.all(host, isIpv6)) {
        if (route.destination().length() != 0) continue;
        Optional<IpAddress> found =
            Addresses.of(host, route.link()).stream()
                .map(Cidr::address)
                .filter(a -> a.isIpv6() == isIpv6 && !a.toString().startsWith("fe80:"))
                .findFirst();
        if (found.isPresent()) return found.get();
      }
    }
    throw new CniException(
        CniError.INVALID_CONFIG, "there is no default route: nodeAddress must be given");
  }
}

package io.jrun.cni.node;

import io.jrun.cni.address.IpAddress;
import io.jrun.cni.etcd.EtcdConfig;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// Where the nodes and their subnets are written down.
public sealed interface StoreConfig {
  /// A file that is the same on all nodes.
  record InFile(Path path) implements StoreConfig {}

  /// An etcd, from which each node takes a subnet.
  ///
  /// @param nodeAddress this node's address; null for that of the default route's interface
  /// @param subnetLength the prefix length of a node's subnet; zero for 24, and 64 of IPv6
  record InEtcd(EtcdConfig etcd, @Nullable IpAddress nodeAddress, int subnetLength)
      implements StoreConfig {}
}

package io.jrun.cni.node;

import io.jrun.cni.address.IpAddress;
import io.jrun.cni.etcd.EtcdConfig;
import io.jrun.kernel.IoReason;
import io.jrun.specs.json.JsonReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A network's part that is about other nodes.
///
/// @param node the name of this node
/// @param vni the number of the vxlan network
/// @param port the UDP port of the vxlan network
public record ClusterConfig(Mode mode, StoreConfig store, String node, int vni, int port) {
  private static final String NODES_FILE = "/etc/cni/nodes.json";
  private static final int MAX_VNI = (1 << 24) - 1;
  private static final int PORT = 8472;

  /// Null for a network of one node.
  public static @Nullable ClusterConfig read(JsonReader r) {
    String text = r.optionalString("mode");
    String store = r.optionalString("store");
    if (store != null && !store.equals("file") && !store.equals("etcd")) {
      r.problem("store", "unknown store \"" + store + "\", must be file or etcd");
    }
    if (text == null || text.equals("bridge")) {
      if (store != null) r.problem("store", "needs a mode across nodes");
      return null;
    }
    Optional<Mode> mode = Mode.of(text);
    if (mode.isEmpty()) {
      r.problem("mode", "unknown mode \"" + text + "\"");
      return null;
    }
    String node = r.optionalString("node");
    if (node == null) node = hostname();
    if (!node.matches("[A-Za-z0-9][A-Za-z0-9_.-]*")) r.problem("node", "invalid name " + node);
    int vni = r.int32("vni");
    int port = r.int32("vxlanPort");
    if (vni < 0 || vni > MAX_VNI) r.problem("vni", "must be from 1 to " + MAX_VNI);
    if (port < 0 || port > 65535) r.problem("vxlanPort", "must be a port");
    return new ClusterConfig(
        mode.get(),
        "etcd".equals(store) ? etcd(r) : file(r),
        node,
        vni == 0 ? 1 : vni,
        port == 0 ? PORT : port);
  }

  private static StoreConfig file(JsonReader r) {
    String file = r.optionalString("nodesFile");
    return new StoreConfig.InFile(Path.of(file == null ? NODES_FILE : file));
  }

  private static StoreConfig etcd(JsonReader r) {
    EtcdConfig etcd = r.object("etcd", EtcdConfig::read);
    if (etcd == null) {
      r.problem("etcd", "is required by the store etcd");
      return new StoreConfig.InFile(Path.of(NODES_FILE));
    }
    String text = r.optionalString("nodeAddress");
    Optional<IpAddress> address = text == null ? Optional.empty() : IpAddress.parse(text);
    if (text != null && address.isEmpty()) r.problem("nodeAddress", "must be an address");
    return new StoreConfig.InEtcd(etcd, address.orElse(null), r.int32("subnetLength"));
  }

  private static String hostname() {
    try {
      return Files.readString(Path.of("/proc/sys/kernel/hostname")).strip();
    } catch (IOException e) {
      throw new UncheckedIOException("read the host's name: " + IoReason.of(e), e);
    }
  }

  /// The name of the device that traffic to other nodes goes through.
  public String device() {
    return mode == Mode.IPIP ? "scipip" : "scvx" + vni;
  }
}

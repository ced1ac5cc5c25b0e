package io.jrun.cni.node;

import io.jrun.specs.json.JsonReader;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A network's part that is about other nodes.
///
/// @param node the name of this node
/// @param vni the number of the vxlan network
/// @param port the UDP port of the vxlan network
public record ClusterConfig(Mode mode, Path nodesFile, String node, int vni, int port) {
  private static final String NODES_FILE = "/etc/cni/nodes.json";
  private static final int MAX_VNI = (1 << 24) - 1;
  private static final int PORT = 8472;

  /// Null for a network of one node.
  public static @Nullable ClusterConfig read(JsonReader r) {
    String text = r.optionalString("mode");
    String store = r.optionalString("store");
    if (store != null && !store.equals("file")) r.problem("store", store + ": not implemented yet");
    if (text == null || text.equals("bridge")) return null;
    Optional<Mode> mode = Mode.of(text);
    if (mode.isEmpty()) {
      r.problem(
          "mode",
          text.equals("ipip") ? "ipip: not implemented yet" : "unknown mode \"" + text + "\"");
      return null;
    }
    String file = r.optionalString("nodesFile");
    String node = r.optionalString("node");
    int vni = r.int32("vni");
    int port = r.int32("vxlanPort");
    if (vni < 0 || vni > MAX_VNI) r.problem("vni", "must be from 1 to " + MAX_VNI);
    if (port < 0 || port > 65535) r.problem("vxlanPort", "must be a port");
    return new ClusterConfig(
        mode.get(),
        Path.of(file == null ? NODES_FILE : file),
        node == null ? hostname() : node,
        vni == 0 ? 1 : vni,
        port == 0 ? PORT : port);
  }

  private static String hostname() {
    try {
      return java.nio.file.Files.readString(Path.of("/proc/sys/kernel/hostname")).strip();
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException("read the host's name: " + e, e);
    }
  }

  public NodeList nodes() {
    return NodeList.read(nodesFile);
  }

  public String device() {
    return "scvx" + vni;
  }
}

package io.jrun.cni.node;

import io.jrun.cni.address.IpAddress;
import io.jrun.specs.json.Json;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// Nodes and subnets come from a file that somebody else writes; addresses are not shared with
/// other nodes.
record FileMembership(Path file, String node) implements Membership {
  @Override
  public NodeList nodes() {
    return NodeList.read(file);
  }

  @Override
  public Node self() {
    return nodes().self(node);
  }

  @Override
  public void claim(Map<IpAddress, Json.JsonObject> holders) {}

  @Override
  public void release(List<IpAddress> addresses) {}
}

package io.jrun.cni.node;

import io.jrun.cni.address.IpAddress;
import io.jrun.specs.json.Json;
import java.util.List;
import java.util.Map;

/// This node among the others, for as long as one call takes.
public sealed interface Membership permits FileMembership, EtcdMembership {
  /// All nodes, this one among them.
  NodeList nodes();

  /// This node; it takes a subnet where it has none yet.
  ///
  /// @throws io.jrun.cni.CniException when it cannot have one now
  Node self();

  /// Writes down that addresses of this node's subnet have been given.
  ///
  /// @param holders by address, what others may know of who has it
  /// @throws io.jrun.cni.CniException when the subnet is no longer this node's, or nobody can tell
  void claim(Map<IpAddress, Json.JsonObject> holders);

  /// Writes down that they have been taken back. A store that does not answer changes nothing: who
  /// watches for this node does it later.
  void release(List<IpAddress> addresses);
}

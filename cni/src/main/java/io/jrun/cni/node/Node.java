package io.jrun.cni.node;

import io.jrun.cni.address.Cidr;
import io.jrun.cni.address.IpAddress;
import io.jrun.cni.netlink.Mac;
import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import java.util.Optional;

/// A node: its address on the network between nodes, and the subnet of its containers.
public record Node(String name, IpAddress address, Cidr subnet) {
  static Node read(JsonReader r) {
    String name = r.string("name");
    Optional<IpAddress> address = IpAddress.parse(r.string("address"));
    Optional<Cidr> subnet = Cidr.parse(r.string("subnet")).map(Cidr::network);
    if (address.isEmpty()) r.problem("address", "must be an address");
    if (subnet.isEmpty()) r.problem("subnet", "must be an address with a prefix");
    IpAddress none = IpAddress.of(new byte[4]);
    return new Node(name, address.orElse(none), subnet.orElse(new Cidr(none, 32)));
  }

  Json.JsonObject toJson() {
    return Json.JsonObject.EMPTY
        .with("name", Json.of(name))
        .with("address", Json.of(address.toString()))
        .with("subnet", Json.of(subnet.toString()));
  }

  /// The hardware address of its vxlan device: it follows from the address, so no node has to tell
  /// it to others, and it never changes.
  Mac tunnelMac() {
    return Mac.of(address);
  }
}

package io.jrun.cni.simple;

import io.jrun.cni.address.Cidr;
import io.jrun.cni.address.IpAddress;
import io.jrun.cni.ipam.AddressRange;
import io.jrun.cni.ipam.NodeFile;
import io.jrun.specs.cni.Dns;
import io.jrun.specs.cni.Route;
import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// SimpleCNI's own addresses, told by members of the network itself or of `ipam` without a type.
///
/// @param cluster the subnet of all nodes; null where only ranges are given
/// @param ranges an address is given from each set
/// @param nodeFile says which part of `cluster` this node has, where it exists
/// @param directory where the leases are
record AddressConfig(
    @Nullable Cidr cluster,
    List<List<AddressRange>> ranges,
    List<AddressRange.Span> reserved,
    List<IpAddress> wanted,
    List<Route> routes,
    Dns dns,
    Path nodeFile,
    Path directory) {
  private static final Path DIRECTORY = Path.of("/var/lib/cni/simplecni");

  AddressConfig {
    ranges = List.copyOf(ranges);
    reserved = List.copyOf(reserved);
    wanted = List.copyOf(wanted);
    routes = List.copyOf(routes);
  }

  static AddressConfig read(JsonReader network, String name, String cniArgs) {
    AddressConfig nested = network.object("ipam", r -> members(r, network, name, cniArgs));
    return nested == null ? members(network, network, name, cniArgs) : nested;
  }

  private static AddressConfig members(
      JsonReader r, JsonReader network, String name, String cniArgs) {
    List<AddressRange.Span> reserved = spans(r);
    Cidr cluster = cidr(r, "subnet");
    if (cluster == null && r != network) cluster = cidr(network, "subnet");
    List<List<AddressRange>> ranges = new ArrayList<>();
    if (cluster != null && !r.object().members().containsKey("ranges")) {
      AddressRange range = range(r, reserved);
      if (range == null && r != network) range = range(network, reserved);
      if (range != null) ranges.add(List.of(range));
    }
    ranges.addAll(sets(r, r.object().member("ranges"), reserved));
    Json.JsonObject runtime = network.object("runtimeConfig", JsonReader::object);
    if (runtime != null && runtime.member("ipRanges") != null) {
      ranges.addAll(sets(r, runtime.member("ipRanges"), reserved));
    }
    // of one that is given and wrong that is told already
    boolean isGiven =
        r.object().member("subnet") != null || network.object().member("subnet") != null;
    if (ranges.isEmpty() && !isGiven)
      r.problem("subnet", "is required, or ranges, or an ipam type");
    String nodeFile = r.optionalString("nodeFile");
    if (nodeFile == null) nodeFile = network.optionalString("nodeFile");
    String directory = r.optionalString("dataDir");
    return new AddressConfig(
        cluster,
        ranges,
        reserved,
        wanted(network, runtime, cniArgs),
        r.objects("routes", Route::read),
        r.object("dns", Dns::read, Dns.NONE),
        nodeFile == null ? NodeFile.DEFAULT : Path.of(nodeFile),
        (directory == null ? DIRECTORY : Path.of(directory)).resolve(name));
  }

  private static @Nullable Cidr cidr(JsonReader r, String name) {
    String text = r.optionalString(name);
    if (text == null) return null;
    Optional<Cidr> cidr = Cidr.parse(text);
    if (cidr.isEmpty()) r.problem(name, "must be an address with a prefix, not \"" + text + "\"");
    return cidr.orElse(null);
  }

  private static @Nullable IpAddress address(JsonReader r, String name, @Nullable Cidr of) {
    String text = r.optionalString(name);
    if (text == null) return null;
    Optional<IpAddress> address = IpAddress.parse(text);
    if (address.isEmpty()) r.problem(name, "must be an address, not \"" + text + "\"");
    else if (of != null && !of.contains(address.get()))
      r.problem(name, "must be of " + of.network());
    return address.orElse(null);
  }

  /// As host-local names them: subnet, rangeStart, rangeEnd, gateway.
  private static @Nullable AddressRange range(JsonReader r, List<AddressRange.Span> reserved) {
    Cidr subnet = cidr(r, "subnet");
    if (subnet == null) return null;
    IpAddress first = address(r, "rangeStart", subnet);
    IpAddress last = address(r, "rangeEnd", subnet);
    try {
      AddressRange range = AddressRange.of(subnet, address(r, "gateway", subnet), reserved);
      if (first == null && last == null) return range;
      IpAddress from = first == null ? range.first() : first;
      IpAddress to = last == null ? range.last() : last;
      if (from.compareTo(to) > 0) r.problem("rangeStart", "is behind rangeEnd");
      return range.between(from, to);
    } catch (IllegalArgumentException e) {
      r.problem("subnet", String.valueOf(e.getMessage()));
      return null;
    }
  }

  private static List<List<AddressRange>> sets(
      JsonReader r, @Nullable Json json, List<AddressRange.Span> reserved) {
    List<List<AddressRange>> sets = new ArrayList<>();
    if (json == null) return sets;
    if (!(json instanceof Json.JsonArray(List<Json> outer))) {
      r.problem("ranges", "must be an array of arrays");
      return sets;
    }
    for (Json inner : outer) {
      // one set is read as a member of an object, which has a cursor for it
      Json.JsonObject holder = Json.JsonObject.EMPTY.with("ranges", inner);
      List<AddressRange> set =
          JsonReader.read(
                  "the configuration",
                  holder,
                  h -> h.objects("ranges", one -> range(one, reserved)))
              .stream()
              .filter(Objects::nonNull)
              .toList();
      if (set.isEmpty()) r.problem("ranges", "a set without a range");
      else sets.add(set);
    }
    return sets;
  }

  /// `reserved`: addresses, or two with a hyphen between them.
  private static List<AddressRange.Span> spans(JsonReader r) {
    List<AddressRange.Span> spans = new ArrayList<>();
    for (String text : r.strings("reserved")) {
      String[] ends = text.split("-", 2);
      Optional<IpAddress> first = IpAddress.parse(ends[0].strip());
      Optional<IpAddress> last = IpAddress.parse(ends[ends.length - 1].strip());
      if (first.isEmpty() || last.isEmpty() || first.get().compareTo(last.get()) > 0) {
        r.problem("reserved", "must be addresses or first-last, not \"" + text + "\"");
      } else {
        spans.add(new AddressRange.Span(first.get(), last.get()));
      }
    }
    return spans;
  }

  /// Addresses asked for: the capability `ips`, or `IP=` of CNI_ARGS; a prefix is ignored.
  private static List<IpAddress> wanted(
      JsonReader r, Json.@Nullable JsonObject runtime, String cniArgs) {
    List<String> texts = new ArrayList<>();
    if (runtime != null && runtime.member("ips") instanceof Json.JsonArray(List<Json> ips)) {
      for (Json ip : ips) texts.add(ip instanceof Json.JsonString(String text) ? text : "");
    }
    String argument = SimpleConfig.argument(cniArgs, "IP");
    if (argument != null) texts.addAll(List.of(argument.split(",")));
    List<IpAddress> wanted = new ArrayList<>();
    for (String text : texts) {
      Optional<IpAddress> address = IpAddress.parse(text.replaceFirst("/.*", ""));
      if (address.isEmpty()) r.problem("runtimeConfig", "invalid address \"" + text + "\"");
      address.ifPresent(wanted::add);
    }
    return wanted;
  }
}

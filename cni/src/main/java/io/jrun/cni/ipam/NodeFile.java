package io.jrun.cni.ipam;

import io.jrun.cni.address.Cidr;
import io.jrun.cni.address.IpAddress;
import io.jrun.cni.file.Replacement;
import io.jrun.kernel.IoReason;
import io.jrun.kernel.Kernel;
import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The node's share of the cluster's addresses, `/etc/cni/ipam.config`:
/// `{"Subnet":"10.244.1.0","SubnetPrefix":"10.244.1.","Gateway":"10.244.1.1","IPIndex":"1"}`, where
/// IPIndex counts the last address given.
public record NodeFile(Cidr subnet, IpAddress gateway, long index, Json.JsonObject json) {
  public static final Path DEFAULT = Path.of("/etc/cni/ipam.config");

  /// What was read or written last: most calls find the same.
  private record Known(byte[] text, NodeFile file) {}

  private static volatile @Nullable Known known;

  /// None when there is no such file.
  public static Optional<NodeFile> read(Path path) {
    if (!Files.exists(path)) return Optional.empty();
    byte[] bytes;
    try {
      bytes = Files.readAllBytes(path);
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException e) {
      throw new UncheckedIOException("read " + path + ": " + IoReason.of(e), e);
    }
    Known last = known;
    if (last == null || !Arrays.equals(bytes, last.text())) {
      last = new Known(bytes, JsonReader.read(path.toString(), bytes, NodeFile::read));
      known = last;
    }
    return Optional.of(last.file());
  }

  private static NodeFile read(JsonReader r) {
    IpAddress none = IpAddress.of(new byte[4]);
    IpAddress subnet = address(r, "Subnet", none);
    String prefix = r.string("SubnetPrefix");
    int length = 8 * (int) prefix.chars().filter(c -> c == '.').count();
    if (length == 0 || length > 24 || !subnet.toString().startsWith(prefix)) {
      r.problem("SubnetPrefix", "must be the first numbers of Subnet, each with its dot");
      length = 24;
    }
    IpAddress gateway = address(r, "Gateway", none);
    Cidr network = new Cidr(subnet, length).network();
    if (!network.contains(gateway)) r.problem("Gateway", "must be of " + network);
    String index = r.string("IPIndex");
    if (!index.matches("[0-9]{1,9}")) r.problem("IPIndex", "must be a number as a string");
    long number = index.matches("[0-9]{1,9}") ? Long.parseLong(index) : 0;
    return new NodeFile(network, gateway, number, r.object());
  }

  private static IpAddress address(JsonReader r, String name, IpAddress absent) {
    Optional<IpAddress> address = IpAddress.parse(r.string(name)).filter(a -> !a.isIpv6());
    if (address.isEmpty()) r.problem(name, "must be an IPv4 address");
    return address.orElse(absent);
  }

  /// The last address that was given.
  public IpAddress last() {
    return subnet.address().plus(index);
  }

  /// Writes the index of an address, unless a later one is noted; the caller holds the lock of the
  /// network's leases.
  public void given(Kernel kernel, Path path, IpAddress address) {
    BigInteger offset = address.number().subtract(subnet.address().number());
    if (offset.longValue() <= index) return;
    Json.JsonObject changed = json.with("IPIndex", Json.of(offset.toString()));
    byte[] text = changed.toText().getBytes(StandardCharsets.UTF_8);
    Replacement.write(kernel, path, text, 0644);
    known = new Known(text, new NodeFile(subnet, gateway, offset.longValue(), changed));
  }
}

package io.jrun.cni.node;

import io.jrun.cni.address.Cidr;
import io.jrun.cni.address.IpAddress;
import io.jrun.cni.file.Replacement;
import io.jrun.kernel.IoReason;
import io.jrun.kernel.Kernel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// What a node knows of itself in a network.
///
/// @param cluster the subnet of all nodes
/// @param directory where it keeps the network's leases
/// @param addresses those that its containers have
/// @param underlay the address to be reached at where none is configured
public record NodePlace(
    Kernel kernel,
    String network,
    String node,
    Cidr cluster,
    Path directory,
    Supplier<List<IpAddress>> addresses,
    Supplier<IpAddress> underlay) {

  List<IpAddress> held() {
    return addresses.get();
  }

  IpAddress defaultAddress() {
    return underlay.get();
  }

  private Path file() {
    return directory.resolve("subnet");
  }

  /// The subnet that this node had last; null for none.
  @Nullable Cidr remembered() {
    try {
      return Cidr.parse(Files.readString(file()).strip()).orElse(null);
    } catch (NoSuchFileException e) {
      return null;
    } catch (IOException e) {
      throw new UncheckedIOException("read " + file() + ": " + IoReason.of(e), e);
    }
  }

  void remember(Cidr subnet) {
    if (subnet.equals(remembered())) return;
    Replacement.privateDirectory(directory);
    Replacement.write(kernel, file(), (subnet + "\n").getBytes(StandardCharsets.UTF_8), 0600);
  }
}

package io.jrun.image;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

/// An image's layers unpacked, for overlayfs.
///
/// @param layers the lowest first
public record SnapshotChain(List<Path> layers) {
  public SnapshotChain {
    layers = List.copyOf(layers);
  }

  /// The option of overlayfs that names them.
  String lowerOption() {
    return layers.reversed().stream()
        .map(SnapshotChain::escaped)
        .collect(Collectors.joining(":", "lowerdir=", ""));
  }

  /// A path in overlayfs's options.
  public static String escaped(Path path) {
    return path.toString().replace("\\", "\\\\").replace(":", "\\:").replace(",", "\\,");
  }
}

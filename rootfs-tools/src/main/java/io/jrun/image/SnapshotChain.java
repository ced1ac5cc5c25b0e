package io.jrun.image;

import java.nio.file.Path;
import java.util.List;

/// An image's layers unpacked, for overlayfs.
///
/// @param directory where the layers are
/// @param layers their names in it, the lowest first
public record SnapshotChain(Path directory, List<String> layers) {
  public SnapshotChain {
    layers = List.copyOf(layers);
  }

  /// The option of overlayfs that names them.
  public String lowerOption() {
    StringBuilder lower = new StringBuilder("lowerdir=");
    for (String layer : layers.reversed()) {
      if (lower.charAt(lower.length() - 1) != '=') lower.append(':');
      lower.append(escaped(directory)).append('/').append(layer);
    }
    return lower.toString();
  }

  /// A path in overlayfs's options.
  public static String escaped(Path path) {
    return path.toString().replace("\\", "\\\\").replace(":", "\\:").replace(",", "\\,");
  }
}

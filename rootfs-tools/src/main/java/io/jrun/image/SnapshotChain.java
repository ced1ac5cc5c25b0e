package io.jrun.image;

import java.nio.file.Path;
import java.util.List;

/// An image's layers unpacked, for overlayfs.
///
/// @param directory where the layers are
/// @param layers their names in it, the lowest first; no name has a character that overlayfs's
///   options would need escaped
public record SnapshotChain(Path directory, List<String> layers) {
  public SnapshotChain {
    layers = List.copyOf(layers);
  }

  /// The option `lowerdir`, for a mount made with the directory as the working directory: so a
  /// hundred layers fit the page that mount(2) takes.
  public String lowerdir() {
    return String.join(":", layers.reversed());
  }
}

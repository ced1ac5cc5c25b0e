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
}

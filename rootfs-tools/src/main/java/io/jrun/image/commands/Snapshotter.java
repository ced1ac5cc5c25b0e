package io.jrun.image.commands;

import io.jrun.image.ImageException;
import java.util.Locale;

/// How a container gets a root of its own from an unpacked image.
public enum Snapshotter {
  /// Overlayfs where it can be mounted, else copies.
  AUTO,
  /// An overlayfs over the image's layers.
  OVERLAYFS,
  /// A copy of the image's tree, which shares content with it where the file system can.
  COPY;

  public static Snapshotter parse(String text) {
    for (Snapshotter one : values()) if (one.text().equals(text)) return one;
    throw new ImageException("no snapshotter (auto, overlayfs, copy): " + text);
  }

  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }
}

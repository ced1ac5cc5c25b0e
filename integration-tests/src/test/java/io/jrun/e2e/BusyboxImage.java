package io.jrun.e2e;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// An archive of an image of one layer with busybox, which every engine loads from disk.
final class BusyboxImage {
  static final String NAME = "localhost/e2e-busybox:1";

  private BusyboxImage() {}

  /// @param rootfs what the layer holds
  static Path write(Path rootfs, Path to) throws IOException {
    Path layer = Files.createTempFile("e2e-layer-", ".tar");
    try {
      Command.of(
              "tar",
              "--numeric-owner",
              "--owner=0",
              "--group=0",
              "-C",
              rootfs.toString(),
              "-cf",
              layer.toString(),
              ".")
          .run()
          .succeeds();
      String config = "{\"Env\":[\"PATH=/bin\",\"FROM_IMAGE=yes\"],\"Cmd\":[\"sh\"]}";
      return DockerArchive.write(to, NAME, config, List.of(Files.readAllBytes(layer)));
    } finally {
      Files.delete(layer);
    }
  }
}

package io.jrun.e2e;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/// An archive as `docker save` writes it, of one layer with busybox, which every engine loads from
/// disk.
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
      byte[] bytes = Files.readAllBytes(layer);
      return new TarBuilder()
          .file("config.json", configuration(bytes))
          .file("layer.tar", bytes)
          .file(
              "manifest.json",
              "[{\"Config\":\"config.json\",\"RepoTags\":[\"%s\"],\"Layers\":[\"layer.tar\"]}]"
                  .formatted(NAME))
          .write(to);
    } finally {
      Files.delete(layer);
    }
  }

  private static String configuration(byte[] layer) {
    String architecture = System.getProperty("os.arch").equals("aarch64") ? "arm64" : "amd64";
    return """
    {"architecture":"%s","os":"linux","config":{"Env":["PATH=/bin","FROM_IMAGE=yes"],"Cmd":["sh"]},
     "rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}
    """
        .formatted(architecture, sha256(layer));
  }

  private static String sha256(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every Java has it
    }
  }
}

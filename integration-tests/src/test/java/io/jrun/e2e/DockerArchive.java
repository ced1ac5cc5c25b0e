package io.jrun.e2e;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Collectors;

/// An archive as `docker save` wrote it before version 25.
final class DockerArchive {
  private DockerArchive() {}

  /// @param config what the image says of how it runs, as JSON
  /// @param layers archives, the lowest first
  static Path write(Path to, String name, String config, List<byte[]> layers) {
    String diffIds =
        layers.stream().map(l -> "\"sha256:" + sha256(l) + "\"").collect(Collectors.joining(","));
    String names =
        layers.stream().map(l -> "\"" + layer(l) + "\"").collect(Collectors.joining(","));
    byte[] json =
        "{\"architecture\":\"%s\",\"os\":\"linux\",\"config\":%s,\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[%s]}}"
            .formatted(architecture(), config, diffIds)
            .getBytes(StandardCharsets.UTF_8);
    String configName = sha256(json) + ".json";
    TarBuilder archive = new TarBuilder().file(configName, json);
    for (byte[] layer : layers) archive.file(layer(layer), layer);
    return archive
        .file(
            "manifest.json",
            "[{\"Config\":\"%s\",\"RepoTags\":[\"%s\"],\"Layers\":[%s]}]"
                .formatted(configName, name, names))
        .write(to);
  }

  private static String layer(byte[] layer) {
    return sha256(layer) + "/layer.tar";
  }

  private static String architecture() {
    return System.getProperty("os.arch").equals("aarch64") ? "arm64" : "amd64";
  }

  private static String sha256(byte[] layer) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(layer));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every Java has it
    }
  }
}

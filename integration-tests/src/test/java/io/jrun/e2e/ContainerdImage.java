package io.jrun.e2e;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Collectors;

/// An archive of an OCI image with a busybox in it, as `ctr images import` takes it.
final class ContainerdImage {
  private ContainerdImage() {}

  /// Writes the image.
  ///
  /// @param name what containerd calls it
  /// @param stopSignal the image's StopSignal; empty for none
  /// @param command the image's Cmd
  static Path write(Path to, String name, String stopSignal, String... command) throws IOException {
    byte[] layer = layer();
    String words = List.of(command).stream().collect(Collectors.joining("\",\"", "\"", "\""));
    byte[] config =
        """
        {"architecture":"%s","os":"linux","config":{"Env":["PATH=/bin"],"Cmd":[%s],"StopSignal":"%s"},
         "rootfs":{"type":"layers","diff_ids":["%s"]}}\
        """
            .formatted(architecture(), words, stopSignal, digest(layer))
            .getBytes(StandardCharsets.UTF_8);
    byte[] manifest =
        """
        {"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",
         "config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"%s","size":%d},
         "layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"%s","size":%d}]}\
        """
            .formatted(digest(config), config.length, digest(layer), layer.length)
            .getBytes(StandardCharsets.UTF_8);
    String index =
        """
        {"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json",
         "digest":"%s","size":%d,"annotations":{"io.containerd.image.name":"%s"}}]}\
        """
            .formatted(digest(manifest), manifest.length, name);
    TarBuilder archive =
        new TarBuilder()
            .file("oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}")
            .file("index.json", index);
    for (byte[] blob : List.of(layer, config, manifest))
      archive.file("blobs/sha256/" + digest(blob).substring("sha256:".length()), blob);
    return archive.write(to);
  }

  private static byte[] layer() throws IOException {
    TarBuilder layer = new TarBuilder().mode(0755);
    for (String name :
        List.of("bin", "dev", "etc", "home", "mnt", "proc", "root", "run", "sys", "usr", "var"))
      layer.directory(name);
    layer.mode(01777).directory("tmp").mode(0755);
    layer.file("bin/busybox", Files.readAllBytes(Path.of("/bin/busybox")));
    for (String applet : Command.of("/bin/busybox", "--list").run().succeeds().lines())
      if (!applet.equals("busybox")) layer.symlink("bin/" + applet, "busybox");
    return layer
        .mode(0644)
        .file("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000::/home:/bin/sh\n")
        .file("etc/group", "root:x:0:\nalice:x:1000:\nstaff:x:50:alice\n")
        .bytes();
  }

  private static String architecture() {
    String name = System.getProperty("os.arch");
    return name.equals("aarch64") ? "arm64" : "amd64";
  }

  private static String digest(byte[] blob) {
    try {
      return "sha256:"
          + HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(blob));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every JRE has SHA-256
    }
  }
}

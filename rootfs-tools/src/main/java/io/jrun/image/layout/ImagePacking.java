package io.jrun.image.layout;

import io.jrun.image.Documents;
import io.jrun.image.ImageName;
import io.jrun.image.PlatformChoice;
import io.jrun.image.source.ImageSource;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.rootfs.CallerFiles;
import io.jrun.rootfs.IoFailure;
import io.jrun.rootfs.codec.Compression;
import io.jrun.rootfs.codec.DirectOutput;
import io.jrun.rootfs.codec.Encoder;
import io.jrun.rootfs.pack.OutputFile;
import io.jrun.rootfs.pack.Packer;
import io.jrun.rootfs.pack.Packing;
import io.jrun.rootfs.stream.Origin;
import io.jrun.specs.image.ContentDescriptor;
import io.jrun.specs.image.Digest;
import io.jrun.specs.image.Execution;
import io.jrun.specs.image.ImageConfig;
import io.jrun.specs.image.Manifest;
import io.jrun.specs.image.MediaType;
import io.jrun.specs.json.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// A tree as an image with one layer, which is kept in a file of its own until its digest is known.
public final class ImagePacking {
  private ImagePacking() {}

  public static void pack(
      CallerFiles caller,
      String directory,
      String to,
      String name,
      Compression compression,
      Packer.Options options) {
    Path layer = null;
    try {
      layer = Files.createTempFile(Path.of("/var/tmp"), "jrun-", ".layer");
      HashingStream stored = new HashingStream(DirectOutput.to(Files.newOutputStream(layer)));
      Digest diffId;
      try (Encoder encoder = Encoder.of(compression, stored);
          HashingStream plain = new HashingStream(encoder)) {
        Packing.tree(caller, directory, plain, options);
        encoder.finish();
        diffId = plain.digest();
      }
      ContentDescriptor descriptor =
          ContentDescriptor.of(
              MediaType.LAYER + compression.suffix(), stored.digest(), stored.count());
      write(caller, to, name, layer, descriptor, diffId);
    } catch (IOException e) {
      throw IoFailure.of(to, e);
    } finally {
      if (layer != null) layer.toFile().delete();
    }
  }

  private static void write(
      CallerFiles caller, String to, String name, Path file, ContentDescriptor layer, Digest diffId)
      throws IOException {
    ImageConfig config =
        new ImageConfig(
            null,
            null,
            PlatformChoice.hostArchitecture(),
            null,
            "linux",
            Execution.NONE,
            List.of(diffId),
            List.of(),
            Json.JsonObject.EMPTY);
    byte[] configBytes = Documents.bytes(config.toJson());
    ContentDescriptor configDescriptor =
        ContentDescriptor.of(MediaType.CONFIG, Documents.digest(configBytes), configBytes.length);
    byte[] manifest = Documents.bytes(Manifest.of(configDescriptor, List.of(layer)).toJson());
    ContentDescriptor image =
        ContentDescriptor.of(MediaType.MANIFEST, Documents.digest(manifest), manifest.length);
    if (!name.isEmpty()) {
      image = image.withAnnotations(Map.of(ImageSource.REF_NAME, ImageName.parse(name).text()));
    }
    try (OutputFile out = OutputFile.create(caller, to);
        OwnedDescriptor opened = OwnedDescriptor.toRead(caller.kernel(), file)) {
      LayoutArchive archive = new LayoutArchive(out);
      archive.begin(List.of(image));
      archive.blob(image, manifest);
      archive.blob(configDescriptor, configBytes);
      archive.blob(layer, Origin.range(caller.kernel(), opened, 0, layer.size()));
      archive.end();
      out.complete();
    }
  }
}

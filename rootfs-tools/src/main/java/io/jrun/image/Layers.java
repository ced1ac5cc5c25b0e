package io.jrun.image;

import io.jrun.kernel.HelperKernel;
import io.jrun.rootfs.DamagedException;
import io.jrun.rootfs.RootfsException;
import io.jrun.rootfs.codec.Compression;
import io.jrun.rootfs.stream.Origin;
import io.jrun.rootfs.stream.Sources;
import io.jrun.rootfs.stream.Verified;
import io.jrun.rootfs.unpack.UnpackOptions;
import io.jrun.rootfs.unpack.Unpacker;
import io.jrun.rootfs.unpack.Unpacking;
import io.jrun.specs.image.ContentDescriptor;
import io.jrun.specs.image.Digest;
import java.util.function.Function;

/// Layers of an image on their way to a directory, verified as they are read: what is stored by the
/// manifest's digest, the archive in it by the configuration's.
public final class Layers {
  private Layers() {}

  /// Unpacks all, the lowest first.
  public static void unpack(
      HelperKernel writer,
      Unpacker unpacker,
      Resolved image,
      Function<ContentDescriptor, Origin> content,
      UnpackOptions options) {
    for (int i = 0; i < image.manifest().layers().size(); i++) {
      ContentDescriptor layer = image.manifest().layers().get(i);
      one(writer, unpacker, layer, image.config().diffIds().get(i), content.apply(layer), options);
    }
  }

  /// Unpacks one.
  public static void one(
      HelperKernel writer,
      Unpacker unpacker,
      ContentDescriptor layer,
      Digest diffId,
      Origin origin,
      UnpackOptions options) {
    Compression compression = Compression.of(origin.first(8));
    boolean plain = compression == Compression.NONE;
    if (plain
        && !layer.digest().equals(diffId)
        && layer.digest().algorithm().equals(diffId.algorithm())) {
      throw new ImageException(
          "layer " + layer.digest() + " is not compressed, but its diff_id is " + diffId);
    }
    try (Verified stored = new Verified("the blob", layer.digest().text());
        Verified archive = new Verified("the archive in it", diffId.text())) {
      Sources.with(
          writer,
          origin,
          new byte[0],
          compression,
          Unpacking.expansion(options),
          plain ? null : stored,
          plain ? stored : archive,
          segments -> unpacker.layer(segments, true));
    } catch (DamagedException e) {
      throw new DamagedException("layer " + layer.digest() + ": " + e.getMessage(), e);
    } catch (RootfsException e) {
      throw new RootfsException("layer " + layer.digest() + ": " + e.getMessage(), e);
    }
  }
}

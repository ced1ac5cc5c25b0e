package io.jrun.image;

import io.jrun.specs.image.ContentDescriptor;
import io.jrun.specs.image.ImageConfig;
import io.jrun.specs.image.Index;
import io.jrun.specs.image.Manifest;
import io.jrun.specs.image.MediaType;
import java.util.function.Function;

/// One image for one platform.
public record Resolved(ContentDescriptor descriptor, Manifest manifest, ImageConfig config) {
  private static final int MOST_NESTED = 4;

  /// Follows indexes down to the manifest for a platform.
  ///
  /// @param document reads verified documents
  public static Resolved of(
      ContentDescriptor image,
      PlatformChoice platform,
      Function<ContentDescriptor, byte[]> document) {
    ContentDescriptor descriptor = image;
    for (int depth = 0; depth < MOST_NESTED; depth++) {
      byte[] bytes = document.apply(descriptor);
      if (MediaType.isManifest(descriptor.mediaType())) {
        Resolved found = of(descriptor, bytes, document);
        platform.check(found.config());
        return found;
      }
      if (!MediaType.isIndex(descriptor.mediaType())) {
        throw new ImageException(
            descriptor.digest() + " is neither an image nor an index: " + descriptor.mediaType());
      }
      descriptor = platform.choose(Index.read("the index " + descriptor.digest(), bytes));
    }
    throw new ImageException(image.digest() + ": indexes refer to indexes too often");
  }

  private static Resolved of(
      ContentDescriptor descriptor, byte[] bytes, Function<ContentDescriptor, byte[]> document) {
    Manifest manifest = Manifest.read("the manifest " + descriptor.digest(), bytes);
    if (!MediaType.isConfig(manifest.config().mediaType())) {
      throw new ImageException(
          descriptor.digest()
              + " is not an image that can run; its config is "
              + manifest.config().mediaType());
    }
    ImageConfig config =
        ImageConfig.read(
            "the config " + manifest.config().digest(), document.apply(manifest.config()));
    if (config.diffIds().size() != manifest.layers().size()) {
      throw new ImageException(
          descriptor.digest()
              + " has "
              + manifest.layers().size()
              + " layers, its config "
              + config.diffIds().size()
              + " diff_ids");
    }
    for (ContentDescriptor layer : manifest.layers()) {
      if (!MediaType.isLayer(layer.mediaType())) {
        throw new ImageException(layer.digest() + " is no layer but " + layer.mediaType());
      }
    }
    return new Resolved(descriptor, manifest, config);
  }
}

package io.jrun.image.store;

import io.jrun.image.ImageException;
import io.jrun.rootfs.DamagedException;
import io.jrun.rootfs.codec.Compression;
import io.jrun.rootfs.stream.Origin;
import io.jrun.rootfs.stream.OriginDecoding;
import io.jrun.rootfs.stream.Verified;
import io.jrun.specs.image.ContentDescriptor;
import io.jrun.specs.image.Digest;
import io.jrun.specs.image.ImageConfig;
import io.jrun.specs.image.Index;
import io.jrun.specs.image.Manifest;
import io.jrun.specs.image.MediaType;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// Reads all content of images again and compares it with what refers to it.
public final class Verification {
  private final ImageStore store;
  private final Set<String> done = new HashSet<>();

  private Verification(ImageStore store) {
    this.store = store;
  }

  /// Returns how many blobs were read.
  public static int run(ImageStore store, List<ContentDescriptor> images) {
    Verification verification = new Verification(store);
    images.forEach(image -> verification.check(image, true));
    return verification.done.size();
  }

  private void check(ContentDescriptor descriptor, boolean needed) {
    if (!needed && !store.has(descriptor)) return; // a platform that was not loaded
    if (!done.add(descriptor.digest().text())) return;
    byte[] bytes = store.document(descriptor);
    if (MediaType.isIndex(descriptor.mediaType())) {
      Index.read("the index " + descriptor.digest(), bytes)
          .manifests()
          .forEach(manifest -> check(manifest, false));
      return;
    }
    Manifest manifest = Manifest.read("the manifest " + descriptor.digest(), bytes);
    done.add(manifest.config().digest().text());
    byte[] config = store.document(manifest.config());
    List<Digest> diffIds =
        MediaType.isConfig(manifest.config().mediaType())
            ? ImageConfig.read("the config " + manifest.config().digest(), config).diffIds()
            : List.of();
    if (!diffIds.isEmpty() && diffIds.size() != manifest.layers().size()) {
      throw new ImageException(descriptor.digest() + " has not as many diff_ids as layers");
    }
    for (int i = 0; i < manifest.layers().size(); i++) {
      ContentDescriptor layer = manifest.layers().get(i);
      if (done.add(layer.digest().text())) {
        check(layer, diffIds.isEmpty() ? layer.digest().text() : diffIds.get(i).text());
      }
    }
  }

  private void check(ContentDescriptor layer, String diffId) {
    try (ImageStore.OpenedBlob blob = store.open(layer);
        Verified stored = new Verified("it", layer.digest().text());
        Verified plain = new Verified("the archive in it", diffId)) {
      Origin origin = blob.origin();
      Compression compression = Compression.of(origin.first(8));
      OriginDecoding.check(origin, compression, stored, plain);
    } catch (DamagedException e) {
      throw ImageStore.damaged(
          new DamagedException("blob " + layer.digest() + ": " + e.getMessage(), e));
    }
  }
}

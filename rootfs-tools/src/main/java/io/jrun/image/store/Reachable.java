package io.jrun.image.store;

import io.jrun.specs.image.ContentDescriptor;
import io.jrun.specs.image.Index;
import io.jrun.specs.image.Manifest;
import io.jrun.specs.image.MediaType;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/// What an image consists of.
public final class Reachable {
  private final ImageStore store;
  private final TreeMap<String, ContentDescriptor> found = new TreeMap<>();

  private Reachable(ImageStore store) {
    this.store = store;
  }

  /// All blobs in the order of their digests, the image's own among them; of an index, those
  /// manifests that are there.
  public static List<ContentDescriptor> from(ImageStore store, ContentDescriptor image) {
    Reachable reachable = new Reachable(store);
    reachable.add(image);
    return new ArrayList<>(reachable.found.values());
  }

  private void add(ContentDescriptor descriptor) {
    if (found.put(descriptor.digest().text(), descriptor) != null) return;
    if (MediaType.isIndex(descriptor.mediaType())) {
      Index index = Index.read("the index " + descriptor.digest(), store.document(descriptor));
      for (ContentDescriptor manifest : index.manifests()) {
        if (store.has(manifest)) add(manifest);
      }
    } else if (MediaType.isManifest(descriptor.mediaType())) {
      Manifest manifest =
          Manifest.read("the manifest " + descriptor.digest(), store.document(descriptor));
      add(manifest.config());
      manifest.layers().forEach(this::add);
    }
  }
}

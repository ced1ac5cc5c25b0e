package io.jrun.image.store;

import io.jrun.rootfs.IoFailure;
import io.jrun.specs.image.ContentDescriptor;
import io.jrun.specs.image.ImageConfig;
import io.jrun.specs.image.Index;
import io.jrun.specs.image.Manifest;
import io.jrun.specs.image.MediaType;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// Removes what no name and no container refers to. It waits until nobody uses the store.
public final class Collection {
  /// What was removed.
  public record Freed(int blobs, int snapshots, long bytes) {
    public static final Freed NOTHING = new Freed(0, 0, 0);
  }

  /// Removes an unpacked layer, which may need the rights of a caller.
  public interface SnapshotRemoval {
    void remove(Path snapshot);
  }

  private final ImageStore store;
  private final Set<Path> used = new HashSet<>();
  private final Set<String> chains = new HashSet<>();

  private Collection(ImageStore store) {
    this.store = store;
  }

  /// Removes it.
  public static Freed run(ImageStore store, SnapshotRemoval snapshots) {
    try (ImageStore.AutoCloseableLock lock = store.collecting()) {
      Collection collection = new Collection(store);
      for (ContentDescriptor image : store.index().manifests()) collection.mark(image);
      for (Lease lease : Lease.all(store)) collection.mark(lease.image());
      return collection.sweep(snapshots);
    } catch (IOException e) {
      throw IoFailure.of("collecting what is not used", e);
    }
  }

  private void mark(ContentDescriptor descriptor) {
    if (!used.add(store.blob(descriptor.digest())) || !store.has(descriptor)) return;
    if (MediaType.isIndex(descriptor.mediaType())) {
      Index.read("an index", store.document(descriptor)).manifests().forEach(this::mark);
    } else if (MediaType.isManifest(descriptor.mediaType())) {
      Manifest manifest = Manifest.read("a manifest", store.document(descriptor));
      mark(manifest.config());
      manifest.layers().forEach(this::mark);
      if (MediaType.isConfig(manifest.config().mediaType()) && store.has(manifest.config())) {
        ImageConfig config = ImageConfig.read("a config", store.document(manifest.config()));
        chains.addAll(Snapshots.chains(config.diffIds()));
      }
    }
  }

  private Freed sweep(SnapshotRemoval removal) throws IOException {
    int blobs = 0;
    long bytes = 0;
    for (String algorithm : List.of("sha256", "sha512")) {
      for (Path blob : entries(store.root().resolve("blobs").resolve(algorithm))) {
        if (used.contains(blob)) continue;
        bytes += Files.size(blob);
        Files.delete(blob);
        blobs++;
      }
    }
    int snapshots = 0;
    for (Path snapshot : entries(store.root().resolve("snapshots"))) {
      if (chains.contains(Snapshots.chain(snapshot.getFileName().toString()))) continue;
      removal.remove(snapshot);
      snapshots++;
    }
    for (Path left : entries(store.root().resolve("ingest"))) {
      if (Files.isDirectory(left, LinkOption.NOFOLLOW_LINKS)) removal.remove(left);
      else Files.delete(left);
    }
    return new Freed(blobs, snapshots, bytes);
  }

  private static List<Path> entries(Path directory) throws IOException {
    List<Path> entries = new ArrayList<>();
    try (DirectoryStream<Path> stream = Files.newDirectoryStream(directory)) {
      stream.forEach(entries::add);
    }
    return entries;
  }
}

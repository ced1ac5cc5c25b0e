package io.jrun.image.store;

import io.jrun.image.Documents;
import io.jrun.rootfs.IoFailure;
import io.jrun.specs.image.ContentDescriptor;
import io.jrun.specs.image.Index;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;

/// What containers use: a file for each of them, which keeps its image from the collection whatever
/// becomes of the image's names.
public final class Leases {
  private Leases() {}

  private static Path path(ImageStore store, String holder) {
    if (!holder.matches("[A-Za-z0-9_][A-Za-z0-9_.+-]*")) {
      throw new IllegalArgumentException("not a container's id: " + holder);
    }
    return store.root().resolve("leases").resolve(holder);
  }

  /// Keeps an image for a holder.
  public static void take(ImageStore store, String holder, ContentDescriptor image) {
    try {
      // not synced: after a crash of the machine no container is left to hold it
      Path aside = store.aside();
      Files.write(aside, Documents.bytes(Index.EMPTY.withManifests(List.of(image)).toJson()));
      Files.move(aside, path(store, holder), StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw IoFailure.of("the lease of " + holder, e);
    }
  }

  public static void release(ImageStore store, String holder) {
    try {
      Files.deleteIfExists(path(store, holder));
    } catch (IOException e) {
      throw IoFailure.of("the lease of " + holder, e);
    }
  }

  static List<ContentDescriptor> images(ImageStore store) throws IOException {
    List<ContentDescriptor> images = new ArrayList<>();
    try (DirectoryStream<Path> leases = Files.newDirectoryStream(store.root().resolve("leases"))) {
      for (Path lease : leases) {
        images.addAll(Index.read("the lease " + lease, Files.readAllBytes(lease)).manifests());
      }
    }
    return images;
  }
}

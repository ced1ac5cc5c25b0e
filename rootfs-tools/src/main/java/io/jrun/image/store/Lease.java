package io.jrun.image.store;

import io.jrun.image.Documents;
import io.jrun.rootfs.IoFailure;
import io.jrun.specs.image.ContentDescriptor;
import io.jrun.specs.image.Index;
import io.jrun.specs.image.MediaType;
import io.jrun.specs.json.Json;
import io.jrun.specs.json.SpecException;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/// What a container's bundle in the store says: whose it is, and which image it keeps from the
/// collection, whatever becomes of the image's names. It goes with the bundle.
///
/// @param owner the directory of the state of containers in which the container is
/// @param volumes the names of those that the container has
public record Lease(String owner, ContentDescriptor image, List<String> volumes) {
  public static final String FILE = "lease";
  private static final String OWNER = "io.jrun.owner";
  private static final String VOLUMES = "io.jrun.volumes";

  /// Of a bundle that an earlier jrun made, whose lease lies in a directory of all leases.
  private static final String EARLIER_OWNER = "owner";

  public Lease {
    volumes = List.copyOf(volumes);
  }

  /// Writes it; the store must be held, and the bundle be the caller's.
  public void write(Path bundle) {
    Map<String, String> annotations =
        volumes.isEmpty()
            ? Map.of(OWNER, owner)
            : Map.of(OWNER, owner, VOLUMES, String.join(" ", volumes));
    Index lease =
        new Index(MediaType.INDEX, null, List.of(image), annotations, Json.JsonObject.EMPTY);
    try {
      // not synced: after a crash of the machine no container is left to hold it
      Files.write(bundle.resolve(FILE), Documents.bytes(lease.toJson()));
    } catch (IOException e) {
      throw IoFailure.of("the lease of " + bundle, e);
    }
  }

  /// A bundle's; empty where who made the bundle did not come that far.
  public static Optional<Lease> of(Path bundle) {
    Path file = bundle.resolve(FILE);
    try {
      Index lease = Index.read("the lease " + file, Files.readAllBytes(file));
      String owner = lease.annotations().get(OWNER);
      return owner == null || lease.manifests().isEmpty()
          ? Optional.empty()
          : Optional.of(
              new Lease(
                  owner,
                  lease.manifests().getFirst(),
                  names(lease.annotations().getOrDefault(VOLUMES, ""))));
    } catch (NoSuchFileException e) {
      return earlier(bundle);
    } catch (SpecException e) {
      return Optional.empty();
    } catch (IOException e) {
      throw IoFailure.of("the lease " + file, e);
    }
  }

  private static List<String> names(String words) {
    return words.isEmpty() ? List.of() : List.of(words.split(" "));
  }

  /// The directory of the leases that an earlier jrun wrote.
  static Path earlierDirectory(Path store) {
    return store.resolve("leases");
  }

  private static Optional<Lease> earlier(Path bundle) {
    Path store = Objects.requireNonNull(Objects.requireNonNull(bundle.getParent()).getParent());
    Path file = earlierDirectory(store).resolve(bundle.getFileName());
    try {
      Index lease = Index.read("the lease " + file, Files.readAllBytes(file));
      String owner = Files.readString(bundle.resolve(EARLIER_OWNER));
      return lease.manifests().stream()
          .findFirst()
          .map(image -> new Lease(owner, image, List.of()));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException e) {
      throw IoFailure.of("the lease " + file, e);
    }
  }

  /// Those of a store that nobody else adds to.
  static List<Lease> all(ImageStore store) throws IOException {
    List<Lease> leases = new ArrayList<>();
    try (DirectoryStream<Path> bundles = Files.newDirectoryStream(store.bundles())) {
      for (Path bundle : bundles) of(bundle).ifPresent(leases::add);
    }
    return leases;
  }
}

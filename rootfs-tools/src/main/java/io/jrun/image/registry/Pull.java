package io.jrun.image.registry;

import io.jrun.image.Documents;
import io.jrun.image.ImageException;
import io.jrun.image.ImageName;
import io.jrun.image.PlatformChoice;
import io.jrun.image.source.ImageFiles;
import io.jrun.image.store.ImageStore;
import io.jrun.rootfs.CallerFiles;
import io.jrun.specs.image.ContentDescriptor;
import io.jrun.specs.image.Digest;
import io.jrun.specs.image.Index;
import io.jrun.specs.image.Manifest;
import io.jrun.specs.image.MediaType;
import io.jrun.specs.json.Json;
import io.jrun.specs.json.Json.JsonObject;
import io.jrun.specs.json.Json.JsonString;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Brings an image from a registry into the store.
///
/// @param progress is told of each step, from several threads
public record Pull(
    CallerFiles caller, ImageStore store, RegistryOptions options, Progress progress) {
  private static final String ACCEPTED =
      String.join(
          ", ",
          MediaType.INDEX,
          MediaType.MANIFEST,
          MediaType.DOCKER_LIST,
          MediaType.DOCKER_MANIFEST);

  /// Returns what was pulled: for an index, the manifest of the platform.
  public ContentDescriptor pull(ImageName name, PlatformChoice platform) {
    if (name.host().isEmpty()) {
      throw new ImageException(name.text() + ": the name says no registry (host/path:tag)");
    }
    List<String> hosts = new ArrayList<>(options.mirrors());
    hosts.add(name.host());
    RuntimeException first = null;
    for (String host : hosts) {
      try (Registry registry = new Registry(caller, host, name.path(), "pull", options);
          ImageStore.AutoCloseableLock lock = store.adding()) {
        ContentDescriptor image = pull(registry, name, platform);
        store.name(Optional.of(name), image);
        return image;
      } catch (RegistryException e) {
        if (first == null) first = e;
        else first.addSuppressed(e);
        if (!host.equals(name.host())) progress.line(String.valueOf(e.getMessage()));
      }
    }
    throw first == null ? new ImageException(name.text() + ": no host to ask") : first;
  }

  private ContentDescriptor pull(Registry registry, ImageName name, PlatformChoice platform) {
    String reference = name.digest().orElse(name.tag());
    Fetched fetched = manifest(registry, reference, name.digest());
    ContentDescriptor image = fetched.descriptor();
    if (MediaType.isIndex(image.mediaType())) {
      store.add(image.mediaType(), fetched.bytes());
      ContentDescriptor chosen =
          platform.choose(Index.read("the index " + image.digest(), fetched.bytes()));
      image(
          registry,
          manifest(registry, chosen.digest().text(), Optional.of(chosen.digest().text())));
      // the index is what has the name, so that it can be pushed on; the store tells what is there
      return image;
    }
    image(registry, fetched);
    return image;
  }

  private record Fetched(ContentDescriptor descriptor, byte[] bytes) {}

  private Fetched manifest(Registry registry, String reference, Optional<String> expected) {
    HttpResponse<InputStream> response =
        registry.send(registry.get("/manifests/" + reference, Map.of("Accept", ACCEPTED)), 200);
    byte[] bytes;
    try (InputStream body = response.body()) {
      bytes = body.readNBytes(ImageFiles.MOST_DOCUMENT + 1);
    } catch (IOException e) {
      throw new RegistryException(reference + ": " + e.getMessage(), e);
    }
    if (bytes.length > ImageFiles.MOST_DOCUMENT) {
      throw new ImageException(reference + ": the manifest is too large");
    }
    Digest digest = Documents.digest(bytes);
    Optional<String> said =
        expected.or(() -> response.headers().firstValue("Docker-Content-Digest"));
    if (said.isPresent() && said.get().startsWith("sha256:") && !said.get().equals(digest.text())) {
      throw new ImageException(
          reference + ": the manifest has the digest " + digest + ", not " + said.get());
    }
    return new Fetched(
        ContentDescriptor.of(mediaType(bytes, response), digest, bytes.length), bytes);
  }

  /// The document's own word counts before the header.
  private static String mediaType(byte[] bytes, HttpResponse<?> response) {
    if (Json.parse(bytes) instanceof JsonObject object
        && object.member("mediaType") instanceof JsonString(String type)) {
      return type;
    }
    String header = response.headers().firstValue("Content-Type").orElse("");
    int semicolon = header.indexOf(';');
    return (semicolon < 0 ? header : header.substring(0, semicolon)).strip();
  }

  private void image(Registry registry, Fetched fetched) {
    if (!MediaType.isManifest(fetched.descriptor().mediaType())) {
      throw new ImageException(
          fetched.descriptor().digest() + " is no image: " + fetched.descriptor().mediaType());
    }
    Manifest manifest = Manifest.read("the manifest", fetched.bytes());
    List<ContentDescriptor> blobs = new ArrayList<>(manifest.layers());
    blobs.add(manifest.config());
    Parallel.forEach("pull", options.parallel(), blobs, blob -> blob(registry, blob));
    store.add(fetched.descriptor().mediaType(), fetched.bytes());
  }

  private void blob(Registry registry, ContentDescriptor blob) {
    boolean had = store.has(blob);
    Progress.Transfer transfer = progress.begin(blob);
    String outcome = "failed";
    try {
      Download.fetch(registry, store, blob, transfer);
      outcome = had ? "is here already" : blob.size() + " bytes";
    } finally {
      transfer.end(outcome);
    }
  }
}

package io.jrun.image.registry;

import io.jrun.image.ImageException;
import io.jrun.image.ImageName;
import io.jrun.image.store.ImageStore;
import io.jrun.rootfs.CallerFiles;
import io.jrun.specs.image.ContentDescriptor;
import io.jrun.specs.image.Index;
import io.jrun.specs.image.Manifest;
import io.jrun.specs.image.MediaType;
import java.io.FileNotFoundException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;

/// Brings an image from the store to a registry: blobs that it lacks, then manifests.
public final class Push {
  private static final int ATTEMPTS = 3;

  private final CallerFiles caller;
  private final ImageStore store;
  private final RegistryOptions options;
  private final Consumer<String> progress;

  /// @param progress is told of each step, from several threads
  public Push(
      CallerFiles caller, ImageStore store, RegistryOptions options, Consumer<String> progress) {
    this.caller = caller;
    this.store = store;
    this.options = options;
    this.progress = progress;
  }

  public void push(ContentDescriptor image, ImageName name) {
    if (name.host().isEmpty()) {
      throw new ImageException(name.text() + ": the name says no registry (host/path:tag)");
    }
    try (Registry registry = new Registry(caller, name.host(), name.path(), "pull,push", options);
        ImageStore.AutoCloseableLock lock = store.using()) {
      push(registry, image, name.tag());
    }
  }

  private void push(Registry registry, ContentDescriptor image, String reference) {
    byte[] bytes = store.document(image);
    if (MediaType.isIndex(image.mediaType())) {
      for (ContentDescriptor manifest : Index.read("an index", bytes).manifests()) {
        if (!store.has(manifest)) {
          throw new ImageException(
              image.digest()
                  + ": the store lacks the manifest "
                  + manifest.digest()
                  + " for another platform; push the digest of one that is there");
        }
        push(registry, manifest, manifest.digest().text());
      }
    } else {
      Manifest manifest = Manifest.read("a manifest", bytes);
      List<ContentDescriptor> blobs = new ArrayList<>(manifest.layers());
      blobs.add(manifest.config());
      blobs(registry, blobs);
    }
    HttpResponse<InputStream> response =
        registry.send(
            registry
                .to(
                    registry.uri("/manifests/" + reference),
                    "PUT",
                    BodyPublishers.ofByteArray(bytes))
                .header("Content-Type", image.mediaType()),
            201,
            200);
    Registry.discard(response);
    progress.accept(reference + ": " + image.digest() + "\n");
  }

  private void blobs(Registry registry, List<ContentDescriptor> blobs) {
    List<Future<?>> running = new ArrayList<>();
    try (ExecutorService threads =
        Executors.newFixedThreadPool(
            options.parallel(), Thread.ofPlatform().name("push-", 0).daemon(true).factory())) {
      for (ContentDescriptor blob : blobs) {
        running.add(threads.submit(() -> blob(registry, blob)));
      }
      try {
        for (Future<?> one : running) one.get();
      } catch (ExecutionException e) {
        threads.shutdownNow();
        if (e.getCause() instanceof RuntimeException cause) throw cause;
        throw new IllegalStateException(e.getCause());
      } catch (InterruptedException e) {
        threads.shutdownNow();
        Thread.currentThread().interrupt();
        throw new ImageException("interrupted", e);
      }
    }
  }

  private void blob(Registry registry, ContentDescriptor blob) {
    for (int attempt = 1; ; attempt++) {
      try {
        boolean sent = upload(registry, blob);
        progress.accept(
            blob.digest().hex().substring(0, 12)
                + (sent ? ": " + blob.size() + " bytes\n" : ": is there already\n"));
        return;
      } catch (RegistryException e) {
        if (!e.isPassing() || attempt == ATTEMPTS) throw e;
      }
    }
  }

  private boolean upload(Registry registry, ContentDescriptor blob) {
    HttpResponse<InputStream> head =
        registry.send(
            registry.to(registry.uri("/blobs/" + blob.digest()), "HEAD", BodyPublishers.noBody()),
            200,
            404);
    Registry.discard(head);
    if (head.statusCode() == 200) return false;
    URI start = registry.uri("/blobs/uploads/");
    HttpResponse<InputStream> opened =
        registry.send(registry.to(start, "POST", BodyPublishers.noBody()), 202);
    Registry.discard(opened);
    URI location = Registry.location(start, opened);
    String separator = location.getRawQuery() == null ? "?" : "&";
    URI to =
        URI.create(location + separator + "digest=" + blob.digest().text().replace(":", "%3A"));
    try {
      HttpResponse<InputStream> done =
          registry.send(
              registry
                  .to(to, "PUT", BodyPublishers.ofFile(store.blob(blob.digest())))
                  .header("Content-Type", "application/octet-stream"),
              201);
      Registry.discard(done);
      return true;
    } catch (FileNotFoundException e) {
      throw new ImageException("the store lacks the blob " + blob.digest(), e);
    }
  }
}

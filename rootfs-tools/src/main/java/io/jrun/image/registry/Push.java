package io.jrun.image.registry;

import io.jrun.image.ImageException;
import io.jrun.image.ImageName;
import io.jrun.image.store.ImageStore;
import io.jrun.rootfs.CallerFiles;
import io.jrun.specs.image.ContentDescriptor;
import io.jrun.specs.image.Index;
import io.jrun.specs.image.Manifest;
import io.jrun.specs.image.MediaType;
import java.io.InputStream;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;

/// Brings an image from the store to a registry: blobs that it lacks, then manifests. Layers that
/// are not distributable stay, unless they are asked for.
///
/// @param progress is told of each step, from several threads
public record Push(
    CallerFiles caller, ImageStore store, RegistryOptions options, Progress progress) {
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
      Parallel.forEach("push", options.parallel(), blobs, blob -> blob(registry, blob));
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
    progress.line(reference + ": " + image.digest());
  }

  private void blob(Registry registry, ContentDescriptor blob) {
    Progress.Transfer transfer = progress.begin(blob);
    if (!options.nonDistributable() && !MediaType.isDistributable(blob.mediaType())) {
      transfer.end("is not distributable, and not sent");
      return;
    }
    String outcome = "failed";
    try {
      boolean sent = new Upload(registry, store, blob, transfer).send();
      outcome = sent ? blob.size() + " bytes" : "is there already";
    } finally {
      transfer.end(outcome);
    }
  }
}

package io.jrun.image.registry;

import io.jrun.image.ImageException;
import io.jrun.image.store.ImageStore;
import io.jrun.specs.image.ContentDescriptor;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;

/// Sends one blob. What a registry has of it when a connection breaks stays there, and is gone on
/// from (distribution-spec, "Pushing a blob in chunks").
///
/// ```
///   POST  /blobs/uploads/                     -> Location
///   PATCH Location, Content-Range: 0-9999     breaks
///   GET   Location                            -> Range: 0-4999, Location
///   PATCH Location, Content-Range: 5000-9999  -> Location
///   PUT   Location?digest=…
/// ```
final class Upload {
  private static final int ATTEMPTS = 5;
  private static final long FIRST_WAIT_MILLIS = 200;

  private final Registry registry;
  private final ImageStore store;
  private final ContentDescriptor blob;
  private final Progress.Transfer transfer;

  Upload(Registry registry, ImageStore store, ContentDescriptor blob, Progress.Transfer transfer) {
    this.registry = registry;
    this.store = store;
    this.blob = blob;
    this.transfer = transfer;
  }

  /// Whether the registry lacked the blob.
  boolean send() {
    HttpResponse<InputStream> head =
        registry.send(
            registry.to(registry.uri("/blobs/" + blob.digest()), "HEAD", BodyPublishers.noBody()),
            200,
            404);
    Registry.discard(head);
    if (head.statusCode() == 200) return false;
    if (!store.has(blob)) throw new ImageException("the store lacks the blob " + blob.digest());
    URI location = begin();
    long start = 0;
    long wait = FIRST_WAIT_MILLIS;
    for (int attempt = 1; ; attempt++) {
      try {
        finish(start < blob.size() ? content(location, start) : location);
        return true;
      } catch (RegistryException e) {
        if (!e.isPassing() || attempt == ATTEMPTS) throw e;
        pause(wait);
        wait *= 3;
        Had had = had(location);
        location = had.location();
        start = had.bytes();
      }
    }
  }

  private URI begin() {
    URI start = registry.uri("/blobs/uploads/");
    HttpResponse<InputStream> opened =
        registry.send(registry.to(start, "POST", BodyPublishers.noBody()), 202);
    Registry.discard(opened);
    return Registry.location(start, opened);
  }

  private URI content(URI location, long start) {
    HttpResponse<InputStream> sent =
        registry.send(
            registry
                .to(location, "PATCH", from(start))
                .header("Content-Type", "application/octet-stream")
                .header("Content-Range", start + "-" + (blob.size() - 1)),
            202,
            204);
    Registry.discard(sent);
    return Registry.location(location, sent);
  }

  private void finish(URI location) {
    String separator = location.getRawQuery() == null ? "?" : "&";
    URI to =
        URI.create(location + separator + "digest=" + blob.digest().text().replace(":", "%3A"));
    Registry.discard(registry.send(registry.to(to, "PUT", BodyPublishers.noBody()), 201, 204));
  }

  private record Had(URI location, long bytes) {}

  /// What the registry has; where it has forgotten the upload, a new one.
  private Had had(URI location) {
    try {
      HttpResponse<InputStream> status =
          registry.send(registry.to(location, "GET", BodyPublishers.noBody()), 204, 200, 202);
      Registry.discard(status);
      String range = status.headers().firstValue("Range").orElse("");
      int dash = range.lastIndexOf('-');
      long bytes = dash < 0 ? 0 : Long.parseLong(range.substring(dash + 1).strip()) + 1;
      // nothing is said as 0-0, which one byte is as well
      if (bytes <= 1 || bytes > blob.size()) return new Had(begin(), 0);
      return new Had(Registry.location(location, status), bytes);
    } catch (RegistryException | NumberFormatException e) {
      return new Had(begin(), 0);
    }
  }

  private BodyPublisher from(long start) {
    return BodyPublishers.fromPublisher(
        BodyPublishers.ofInputStream(() -> open(start)), blob.size() - start);
  }

  private InputStream open(long start) {
    try {
      FileChannel file =
          FileChannel.open(store.blob(blob.digest()), StandardOpenOption.READ).position(start);
      return new Counted(Channels.newInputStream(file), start);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void pause(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ImageException("interrupted", e);
    }
  }

  /// Tells how far it was read.
  private final class Counted extends java.io.FilterInputStream {
    private long at;

    Counted(InputStream from, long at) {
      super(from);
      this.at = at;
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
      int count = super.read(into, offset, length);
      if (count > 0) {
        at += count;
        transfer.at(at);
      }
      return count;
    }
  }
}

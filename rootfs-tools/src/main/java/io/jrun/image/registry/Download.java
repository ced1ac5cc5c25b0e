package io.jrun.image.registry;

import io.jrun.image.ImageException;
import io.jrun.image.store.ImageStore;
import io.jrun.rootfs.IoFailure;
import io.jrun.rootfs.RootfsException;
import io.jrun.rootfs.stream.Verified;
import io.jrun.specs.image.ContentDescriptor;
import io.jrun.specs.image.MediaType;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Fetches one blob into the store. What came before an interruption, in this process or in an
/// earlier one, is kept and gone on from; the digest is of all of it. A layer that is not
/// distributable has `urls` (descriptor.md), which are asked before the registry, as a registry
/// need not have it.
final class Download {
  private static final int ATTEMPTS = 5;
  private static final long FIRST_WAIT_MILLIS = 200;

  private Download() {}

  static void fetch(
      Registry registry, ImageStore store, ContentDescriptor blob, Progress.Transfer transfer) {
    if (store.has(blob)) return;
    try (ImageStore.Partial partial = store.partial(blob)) {
      if (store.has(blob)) return; // another process was faster
      Consumer<Host> download = host -> fetch(host, partial.path(), blob, transfer);
      Host ofRegistry =
          headers -> registry.send(registry.get("/blobs/" + blob.digest(), headers), 200, 206);
      if (MediaType.isDistributable(blob.mediaType())) download.accept(ofRegistry);
      else fetchForeign(download, urls(registry, blob), ofRegistry, blob);
      partial.publish();
    }
  }

  /// Somebody who has a blob.
  private interface Host {
    /// @param headers of the request, with the range where not all is wanted
    HttpResponse<InputStream> ask(Map<String, String> headers);
  }

  private static List<Host> urls(Registry registry, ContentDescriptor blob) {
    List<Host> hosts = new ArrayList<>();
    for (String url : blob.urls()) {
      URI web = web(url);
      if (web != null) hosts.add(headers -> registry.elsewhere(web, headers, 200, 206));
    }
    return hosts;
  }

  /// Null for what is no address of a web server: it is for somebody else, or a mistake.
  private static @Nullable URI web(String url) {
    try {
      URI uri = new URI(url);
      return url.matches("https?://.+") && uri.getHost() != null ? uri : null;
    } catch (URISyntaxException e) {
      return null;
    }
  }

  private static void fetchForeign(
      Consumer<Host> download, List<Host> urls, Host registry, ContentDescriptor blob) {
    List<RuntimeException> failures = new ArrayList<>();
    for (Host url : urls) {
      try {
        download.accept(url);
        return;
      } catch (RegistryException | RootfsException | ImageException e) {
        failures.add(e);
      }
    }
    try {
      download.accept(registry);
    } catch (RegistryException e) {
      failures.add(e);
      throw new RegistryException(
          e.status(),
          "the layer "
              + blob.digest()
              + " is not distributable, and neither its urls nor the registry have it: "
              + failures.stream().map(Throwable::getMessage).collect(Collectors.joining("; ")));
    }
  }

  private static void fetch(
      Host host, Path path, ContentDescriptor blob, Progress.Transfer transfer) {
    long wait = FIRST_WAIT_MILLIS;
    for (int attempt = 1; ; attempt++) {
      try {
        attempt(host, path, blob, transfer);
        return;
      } catch (RegistryException e) {
        if (!e.isPassing() || attempt == ATTEMPTS) throw e;
        pause(wait);
        wait *= 3;
      }
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

  private static void attempt(
      Host host, Path path, ContentDescriptor blob, Progress.Transfer transfer) {
    try (Verified verified = new Verified("blob " + blob.digest(), blob.digest().text());
        FileChannel file =
            FileChannel.open(
                path,
                StandardOpenOption.READ,
                StandardOpenOption.WRITE,
                StandardOpenOption.CREATE)) {
      if (file.size() > blob.size()) file.truncate(0);
      long have = digestOf(file, verified);
      if (have < blob.size()) {
        Map<String, String> headers = have == 0 ? Map.of() : Map.of("Range", "bytes=" + have + "-");
        HttpResponse<InputStream> response = host.ask(headers);
        boolean goesOn = response.statusCode() == 206;
        if (have > 0 && !goesOn) {
          // all of it comes again
          response.body().skipNBytes(have);
        }
        receive(response, file, verified, blob, transfer);
      }
      try {
        verified.check();
      } catch (RuntimeException e) {
        Files.deleteIfExists(path); // going on from it would not help
        throw e;
      }
      file.force(true);
    } catch (IOException e) {
      throw new RegistryException(blob.digest() + ": " + e.getMessage(), e);
    }
  }

  /// A failure is the disk's: trying again would not help.
  private static void write(ByteBuffer chunk, FileChannel file, ContentDescriptor blob) {
    try {
      while (chunk.hasRemaining()) file.write(chunk);
    } catch (IOException e) {
      throw IoFailure.of("writing " + blob.digest(), e);
    }
  }

  private static long digestOf(FileChannel file, Verified verified) throws IOException {
    ByteBuffer chunk = ByteBuffer.allocateDirect(1 << 18);
    while (file.read(chunk.clear()) > 0) verified.update(chunk.flip());
    return file.position();
  }

  private static void receive(
      HttpResponse<InputStream> response,
      FileChannel file,
      Verified verified,
      ContentDescriptor blob,
      Progress.Transfer transfer)
      throws IOException {
    ByteBuffer chunk = ByteBuffer.allocateDirect(1 << 18);
    byte[] bytes = new byte[1 << 16];
    try (InputStream body = response.body();
        Watch watch = new Watch(body)) {
      while (true) {
        int count = body.read(bytes);
        if (count < 0) break;
        watch.progress();
        if (file.position() + count > blob.size()) {
          throw new ImageException(blob.digest() + " is longer than " + blob.size() + " bytes");
        }
        chunk.clear().put(bytes, 0, count).flip();
        verified.update(chunk);
        write(chunk, file, blob);
        transfer.at(file.position());
      }
    }
    if (file.position() < blob.size()) throw new IOException("the connection ended early");
  }
}

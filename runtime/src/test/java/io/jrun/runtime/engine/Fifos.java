package io.jrun.runtime.engine;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/// The FIFOs of tasks, as containerd's clients make and read them.
final class Fifos implements AutoCloseable {
  private final Path directory;
  private final List<Path> made = new ArrayList<>();

  Fifos(Path directory) {
    this.directory = directory;
  }

  String make(String name) throws IOException {
    Path path = directory.resolve("fifo-" + name);
    try {
      if (new ProcessBuilder("mkfifo", path.toString()).start().waitFor() != 0)
        throw new IOException("mkfifo " + path);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
    made.add(path);
    return path.toString();
  }

  /// All that is written, until nobody writes any more.
  static CompletableFuture<byte[]> reader(String path) {
    CompletableFuture<byte[]> bytes = new CompletableFuture<>();
    Thread.ofPlatform()
        .daemon(true)
        .start(() -> {
          try {
            bytes.complete(Files.readAllBytes(Path.of(path)));
          } catch (IOException e) {
            bytes.completeExceptionally(e);
          }
        });
    return bytes;
  }

  static String text(CompletableFuture<byte[]> bytes) throws Exception {
    return new String(
        bytes.get(TtrpcClient.TIMEOUT_SECONDS, TimeUnit.SECONDS), StandardCharsets.UTF_8);
  }

  @Override
  public void close() throws IOException {
    for (Path fifo : made) Files.deleteIfExists(fifo);
  }
}

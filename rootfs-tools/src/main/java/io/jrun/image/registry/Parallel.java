package io.jrun.image.registry;

import io.jrun.image.ImageException;
import io.jrun.specs.image.ContentDescriptor;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;

/// Transfers an image's blobs, several at a time; the first that fails ends the others.
final class Parallel {
  private Parallel() {}

  /// @param name of the threads
  /// @param threads how many blobs are under way at once
  static void forEach(
      String name, int threads, List<ContentDescriptor> blobs, Consumer<ContentDescriptor> step) {
    List<Future<?>> running = new ArrayList<>();
    try (ExecutorService executor =
        Executors.newFixedThreadPool(
            threads, Thread.ofPlatform().name(name + "-", 0).daemon(true).factory())) {
      for (ContentDescriptor blob : blobs) running.add(executor.submit(() -> step.accept(blob)));
      try {
        for (Future<?> one : running) one.get();
      } catch (ExecutionException e) {
        executor.shutdownNow();
        if (e.getCause() instanceof RuntimeException cause) throw cause;
        throw new IllegalStateException(e.getCause());
      } catch (InterruptedException e) {
        executor.shutdownNow();
        Thread.currentThread().interrupt();
        throw new ImageException("interrupted", e);
      }
    }
  }
}

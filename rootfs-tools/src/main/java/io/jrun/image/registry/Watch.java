package io.jrun.image.registry;

import java.io.IOException;
import java.io.InputStream;

/// Ends a transfer in which nothing comes for a while; the client itself waits for the first bytes
/// only.
final class Watch implements AutoCloseable {
  private static final long PATIENCE_NANOS = 60_000_000_000L;
  private static final long CHECK_MILLIS = 2000;

  private final InputStream watched;
  private final Thread thread;
  private volatile long last = System.nanoTime();

  Watch(InputStream watched) {
    this.watched = watched;
    this.thread = Thread.ofPlatform().name("watch").daemon(true).start(this::watch);
  }

  void progress() {
    last = System.nanoTime();
  }

  private void watch() {
    try {
      while (System.nanoTime() - last < PATIENCE_NANOS) Thread.sleep(CHECK_MILLIS);
      watched.close(); // the reader gets an error
    } catch (InterruptedException e) {
      // the transfer is over
    } catch (IOException e) {
      // it is closed all the same
    }
  }

  @Override
  public void close() {
    thread.interrupt();
  }
}

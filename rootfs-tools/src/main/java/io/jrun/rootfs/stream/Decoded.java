package io.jrun.rootfs.stream;

import io.jrun.rootfs.RootfsException;
import io.jrun.rootfs.codec.Compression;
import io.jrun.rootfs.codec.Decoder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import org.jspecify.annotations.Nullable;

/// A stream that a thread of its own reads, decodes and verifies, into the slots of a window.
public final class Decoded implements Segments {
  private static final Segment END = new Segment(ByteBuffer.allocate(0), 0, false, () -> {});

  private final Window window;
  private final EncodedOrigin from;
  private final Compression compression;
  private final Expansion expansion;
  private final @Nullable Verified encoded;
  private final @Nullable Verified plain;
  private final BlockingQueue<Integer> free = new ArrayBlockingQueue<>(Window.SLOTS);
  private final BlockingQueue<Segment> full = new ArrayBlockingQueue<>(Window.SLOTS + 1);
  private final Thread thread;
  private volatile @Nullable RuntimeException failure;
  private volatile boolean closed;
  private boolean ended;

  /// @param first bytes of the stream that were read already
  /// @param encoded the digest of the stream as it comes; null where none is expected
  /// @param plain the digest of the stream when it is decoded; null where none is expected
  public Decoded(
      Window window,
      Origin origin,
      byte[] first,
      Compression compression,
      Expansion expansion,
      @Nullable Verified encoded,
      @Nullable Verified plain) {
    this.window = window;
    this.from = new EncodedOrigin(origin, first, encoded);
    this.compression = compression;
    this.expansion = expansion;
    this.encoded = encoded;
    this.plain = plain;
    for (int i = 0; i < Window.SLOTS; i++) free.add(i);
    thread = Thread.ofPlatform().name("decode").daemon(true).start(this::produce);
  }

  private void produce() {
    try (Decoder decoder = Decoder.of(compression, from)) {
      long made = 0;
      while (true) {
        int slot = free.take();
        ByteBuffer bytes = window.slot(slot);
        decoder.fill(bytes);
        boolean last = bytes.hasRemaining();
        bytes.flip();
        made += bytes.limit();
        expansion.check(made, from.count());
        if (plain != null) plain.update(bytes);
        if (last) {
          from.drain();
          if (encoded != null) encoded.check();
          if (plain != null) plain.check();
        }
        if (bytes.limit() > 0) {
          full.put(new Segment(bytes, Window.address(slot), false, () -> free.add(slot)));
        }
        if (last) break;
      }
    } catch (InterruptedException e) {
      // closed: nobody waits for more
    } catch (RuntimeException e) {
      failure = e;
    } catch (IOException e) {
      failure = new RootfsException(String.valueOf(e.getMessage()), e);
    } catch (OutOfMemoryError e) {
      failure = new RootfsException("decoding " + compression.text() + " needs more memory", e);
    }
    if (!closed) full.offer(END);
  }

  @Override
  public @Nullable Segment next() {
    if (ended) return null;
    try {
      Segment next = full.take();
      if (next != END) return next;
      ended = true;
      RuntimeException thrown = failure;
      if (thrown != null) throw thrown;
      return null;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new RootfsException("interrupted");
    }
  }

  @Override
  public boolean isReady() {
    return ended || !full.isEmpty();
  }

  /// Waits for the thread, which uses the window.
  @Override
  public void close() {
    closed = true;
    thread.interrupt();
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}

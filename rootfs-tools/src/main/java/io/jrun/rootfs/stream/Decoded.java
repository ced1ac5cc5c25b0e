package io.jrun.rootfs.stream;

import io.jrun.rootfs.RootfsException;
import io.jrun.rootfs.codec.Compression;
import io.jrun.rootfs.codec.Decoder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import org.jspecify.annotations.Nullable;

/// A stream that a thread of its own reads and decodes into the slots of a window, and another
/// digests there, where a digest is expected of it.
public final class Decoded implements Segments {
  private static final Segment END = new Segment(ByteBuffer.allocate(0), 0, false, () -> {});

  private final Window window;
  private final EncodedOrigin from;
  private final Compression compression;
  private final Expansion expansion;
  private final @Nullable Verified encoded;
  private final BlockingQueue<Integer> free = new ArrayBlockingQueue<>(Window.SLOTS);
  private final BlockingQueue<Segment> decoded = new ArrayBlockingQueue<>(Window.SLOTS + 1);
  private final BlockingQueue<Segment> full;
  private final List<Thread> threads = new ArrayList<>();
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
    for (int i = 0; i < Window.SLOTS; i++) free.add(i);
    full = plain == null ? decoded : new ArrayBlockingQueue<>(Window.SLOTS + 1);
    start("decode", this::produce);
    if (plain != null) start("digest", () -> digest(plain));
  }

  private void start(String name, Runnable work) {
    threads.add(Thread.ofPlatform().name(name).daemon(true).start(work));
  }

  private void digest(Verified digest) {
    try {
      for (Segment next = decoded.take(); next != END; next = decoded.take()) {
        digest.update(next.bytes());
        full.put(next);
      }
      if (failure == null) digest.check();
    } catch (InterruptedException e) {
      // closed: nobody waits for more
    } catch (RuntimeException e) {
      failure = e;
    }
    if (!closed) full.offer(END);
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
        if (last) {
          from.drain();
          if (encoded != null) encoded.check();
        }
        if (bytes.limit() > 0) {
          decoded.put(new Segment(bytes, Window.address(slot), false, () -> free.add(slot)));
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
    if (!closed) decoded.offer(END);
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

  /// Waits for the threads, which use the window.
  @Override
  public void close() {
    closed = true;
    threads.forEach(Thread::interrupt);
    try {
      for (Thread thread : threads) thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}

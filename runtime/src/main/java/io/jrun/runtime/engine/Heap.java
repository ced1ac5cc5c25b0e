package io.jrun.runtime.engine;

import java.util.function.LongSupplier;

/// Gives memory back to the machine when an engine rests: the collector does nothing by itself
/// while nothing is allocated, and keeps what the last burst has needed.
final class Heap {
  /// Less than a request allocates.
  private static final long STILL_BYTES = 64 << 10;

  /// Garbage that is not worth the ten milliseconds or so of a collection.
  private static final long WORTH_BYTES = 1 << 20;

  private final LongSupplier used;
  private final Runnable collect;
  private long lastUsed;
  private long kept;

  Heap(LongSupplier used, Runnable collect) {
    this.used = used;
    this.collect = collect;
  }

  static Heap of(Rest rest) {
    return new Heap(Heap::usedBytes, rest::collect);
  }

  static long usedBytes() {
    Runtime jvm = Runtime.getRuntime();
    return jvm.totalMemory() - jvm.freeMemory();
  }

  /// To be called every few seconds. Collects once, when nothing was allocated since the last time.
  void look() {
    long now = used.getAsLong();
    boolean isStill = Math.abs(now - lastUsed) < STILL_BYTES;
    lastUsed = now;
    if (!isStill || now - kept < WORTH_BYTES) return;
    collect.run();
    kept = used.getAsLong();
    lastUsed = kept;
  }
}

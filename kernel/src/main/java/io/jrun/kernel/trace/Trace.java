package io.jrun.kernel.trace;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/// The lines of one trace, in the order in which the calls ended. Several threads may add to it;
/// one of them writes it out, when its own helper is free to do so.
public final class Trace {
  private final Consumer<String> writer;
  private final Thread owner = Thread.currentThread();
  private List<String> waiting = new ArrayList<>();
  private int children;

  /// @param writer writes lines, called by the thread that made this only
  public Trace(Consumer<String> writer) {
    this.writer = writer;
  }

  /// A number for a process that is born.
  synchronized int nextChild() {
    return ++children;
  }

  synchronized void add(String line) {
    waiting.add(line);
  }

  /// Writes what waits; another thread's call does nothing.
  public void flush() {
    if (Thread.currentThread() != owner) return;
    List<String> lines;
    synchronized (this) {
      lines = waiting;
      waiting = new ArrayList<>();
    }
    if (!lines.isEmpty()) writer.accept(String.join("\n", lines));
  }
}

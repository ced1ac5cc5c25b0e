package io.jrun.kernel.trace;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/// The lines of one trace, in the order in which the answers came. Several threads may add to it;
/// the one that made it writes it out, when the process through which it writes has nothing else to
/// do.
public final class Trace {
  /// The process that writes.
  public static final String CLIENT = "client";

  private final Consumer<String> writer;
  private final Thread owner = Thread.currentThread();
  private List<String> waiting = new ArrayList<>();
  private int children;
  private int underWay;

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

  synchronized void begin(String process) {
    if (process.equals(CLIENT)) underWay++;
  }

  void end(String process) {
    synchronized (this) {
      if (process.equals(CLIENT)) underWay--;
      if (underWay > 0) return;
    }
    flush();
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

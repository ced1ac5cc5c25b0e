package io.jrun.runtime.cli;

import io.jrun.image.registry.Progress;
import io.jrun.specs.image.ContentDescriptor;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;

/// How transfers are shown: a line for each that is over, and on a terminal a bar below them for
/// each under way.
final class TransferDisplay implements Progress {
  private static final long REDRAW_NANOS = 100_000_000;
  private static final int MOST_BAR = 40;

  /// Of a line without its bar.
  private static final int TEXT = 40;

  private final Consumer<String> out;
  private final int columns;
  private final List<Bar> bars = new ArrayList<>();
  private int drawn;
  private long lastNanos;

  /// @param columns of the terminal; 0 where there is none
  TransferDisplay(Consumer<String> out, int columns) {
    this.out = out;
    this.columns = columns;
  }

  private final class Bar implements Transfer {
    private final ContentDescriptor blob;
    private long bytes;

    Bar(ContentDescriptor blob) {
      this.blob = blob;
    }

    @Override
    public void at(long bytes) {
      if (columns == 0) return;
      synchronized (TransferDisplay.this) {
        this.bytes = bytes;
        if (System.nanoTime() - lastNanos > REDRAW_NANOS) draw("");
      }
    }

    @Override
    public void end(String outcome) {
      synchronized (TransferDisplay.this) {
        bars.remove(this);
        draw(Progress.name(blob) + ": " + outcome + "\n");
      }
    }

    private String text() {
      int width = Math.max(0, Math.min(MOST_BAR, columns - TEXT));
      int full =
          blob.size() == 0 ? width : (int) (width * Math.min(bytes, blob.size()) / blob.size());
      String text =
          Progress.name(blob)
              + " ["
              + "=".repeat(full)
              + " ".repeat(width - full)
              + "] "
              + mebibytes(bytes)
              + " / "
              + mebibytes(blob.size())
              + " MiB";
      return text.substring(0, Math.min(text.length(), columns - 1));
    }
  }

  private static String mebibytes(long bytes) {
    return String.format(Locale.ROOT, "%.1f", bytes / 1048576.0);
  }

  @Override
  public synchronized Transfer begin(ContentDescriptor blob) {
    Bar bar = new Bar(blob);
    bars.add(bar);
    if (columns > 0) draw("");
    return bar;
  }

  @Override
  public synchronized void line(String text) {
    draw(text + "\n");
  }

  /// Puts a line where the first bar was, and the bars below it.
  private void draw(String line) {
    if (columns == 0) {
      out.accept(line);
      return;
    }
    StringBuilder text = new StringBuilder();
    if (drawn > 0) text.append("\033[").append(drawn).append('A');
    text.append("\r\033[J").append(line);
    for (Bar bar : bars) text.append(bar.text()).append('\n');
    drawn = bars.size();
    lastNanos = System.nanoTime();
    out.accept(text.toString());
  }
}

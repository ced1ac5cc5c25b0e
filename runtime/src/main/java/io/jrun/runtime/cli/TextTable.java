package io.jrun.runtime.cli;

import java.util.ArrayList;
import java.util.List;

/// Columns as runc's tabwriter aligns them.
final class TextTable {
  private static final int MIN_WIDTH = 12;
  private static final int PADDING = 3;

  private final List<List<String>> rows = new ArrayList<>();

  TextTable(List<String> header) {
    rows.add(List.copyOf(header));
  }

  void add(List<String> row) {
    rows.add(List.copyOf(row));
  }

  String text() {
    int last = rows.getFirst().size() - 1;
    int[] widths = new int[last];
    for (List<String> row : rows) {
      for (int column = 0; column < last; column++) {
        int needed = Math.max(MIN_WIDTH, length(row.get(column)) + PADDING);
        widths[column] = Math.max(widths[column], needed);
      }
    }
    StringBuilder text = new StringBuilder();
    for (List<String> row : rows) {
      for (int column = 0; column < last; column++) {
        String cell = row.get(column);
        text.append(cell).repeat(' ', widths[column] - length(cell));
      }
      text.append(row.get(last)).append('\n');
    }
    return text.toString();
  }

  private static int length(String cell) {
    return cell.codePointCount(0, cell.length());
  }
}

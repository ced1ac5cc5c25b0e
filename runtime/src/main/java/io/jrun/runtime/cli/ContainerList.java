package io.jrun.runtime.cli;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.Json.JsonArray;
import io.jrun.specs.json.Json.JsonNull;
import io.jrun.specs.json.Json.JsonObject;
import java.util.ArrayList;
import java.util.List;

/// What `jrun list` prints.
record ContainerList(List<ContainerSummary> containers) {
  /// The widths of runc's tabwriter.
  private static final int MIN_WIDTH = 12;

  private static final int PADDING = 3;

  private static final List<String> HEADER =
      List.of("ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER");

  String ids() {
    StringBuilder text = new StringBuilder();
    containers.forEach(container -> text.append(container.id()).append('\n'));
    return text.toString();
  }

  String table() {
    List<List<String>> rows = new ArrayList<>();
    rows.add(HEADER);
    containers.forEach(container -> rows.add(row(container)));
    int[] widths = new int[HEADER.size()];
    for (List<String> row : rows) {
      for (int column = 0; column < widths.length; column++) {
        widths[column] =
            Math.max(widths[column], Math.max(MIN_WIDTH, length(row.get(column)) + PADDING));
      }
    }
    StringBuilder text = new StringBuilder();
    for (List<String> row : rows) {
      int last = widths.length - 1;
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

  private static List<String> row(ContainerSummary container) {
    return List.of(
        container.id(),
        Integer.toString(container.pid()),
        container.status(),
        container.bundle(),
        container.created(),
        container.owner());
  }

  /// An array, or `null` when there are none, as Go prints an empty slice.
  String json() {
    Json json =
        containers.isEmpty()
            ? new JsonNull()
            : new JsonArray(containers.stream().map(ContainerList::json).toList());
    return json.toText() + "\n";
  }

  private static Json json(ContainerSummary container) {
    JsonObject json =
        JsonObject.EMPTY
            .with("ociVersion", Json.of(container.ociVersion()))
            .with("id", Json.of(container.id()))
            .with("pid", Json.of(container.pid()))
            .with("status", Json.of(container.status()))
            .with("bundle", Json.of(container.bundle()))
            .with("rootfs", Json.of(container.rootfs()))
            .with("created", Json.of(container.created()));
    if (!container.annotations().isEmpty()) {
      json = json.with("annotations", Json.ofStrings(container.annotations()));
    }
    return json.with("owner", Json.of(container.owner()));
  }
}

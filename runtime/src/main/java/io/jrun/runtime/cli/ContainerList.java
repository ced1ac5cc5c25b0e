package io.jrun.runtime.cli;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.Json.JsonArray;
import io.jrun.specs.json.Json.JsonNull;
import io.jrun.specs.json.Json.JsonObject;
import java.util.ArrayList;
import java.util.List;

/// What `jrun list` prints.
record ContainerList(List<ContainerSummary> containers) {
  private static final List<String> HEADER =
      List.of("ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER");

  String ids() {
    StringBuilder text = new StringBuilder();
    containers.forEach(container -> text.append(container.id()).append('\n'));
    return text.toString();
  }

  /// runc's columns; where a container has addresses, one more behind them.
  String table() {
    boolean shows = containers.stream().anyMatch(container -> !container.addresses().isEmpty());
    List<String> header = new ArrayList<>(HEADER);
    if (shows) header.add("ADDRESSES");
    TextTable table = new TextTable(header);
    for (ContainerSummary container : containers) {
      List<String> row = new ArrayList<>(row(container));
      if (shows) row.add(String.join(",", container.addresses()));
      table.add(row);
    }
    return table.text();
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
    json = json.with("owner", Json.of(container.owner()));
    return container.addresses().isEmpty()
        ? json
        : json.with("addresses", SandboxCommands.strings(container.addresses()));
  }
}

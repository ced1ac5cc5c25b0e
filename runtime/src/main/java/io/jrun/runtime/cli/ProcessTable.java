package io.jrun.runtime.cli;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.Json.JsonArray;
import io.jrun.specs.json.Json.JsonNull;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// What `jrun ps` prints.
final class ProcessTable {
  private ProcessTable() {}

  /// An array, or `null` when there are none, as Go prints an empty slice.
  static String json(List<Integer> pids) {
    Json json =
        pids.isEmpty()
            ? new JsonNull()
            : new JsonArray(pids.stream().map(pid -> Json.of(pid.longValue())).toList());
    return json.toText() + "\n";
  }

  /// The header of ps(1)'s output and those of its rows whose PID is one of these.
  static String rows(String psOutput, List<Integer> pids) {
    List<String> lines = psOutput.lines().toList();
    int column = lines.isEmpty() ? -1 : fields(lines.getFirst()).indexOf("PID");
    if (column < 0) {
      throw new CommandFailure(1, "couldn't find PID field in ps output");
    }
    Set<String> wanted = new HashSet<>();
    pids.forEach(pid -> wanted.add(Integer.toString(pid)));
    StringBuilder text = new StringBuilder(lines.getFirst()).append('\n');
    for (String line : lines.subList(1, lines.size())) {
      List<String> fields = fields(line);
      if (column < fields.size() && wanted.contains(fields.get(column))) {
        text.append(line).append('\n');
      }
    }
    return text.toString();
  }

  private static List<String> fields(String line) {
    return List.of(line.strip().split("\\s+"));
  }
}

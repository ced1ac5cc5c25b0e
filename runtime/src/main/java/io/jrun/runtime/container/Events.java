package io.jrun.runtime.container;

import io.jrun.runtime.cgroup.Cgroup;
import io.jrun.runtime.cgroup.OomWatch;
import io.jrun.specs.json.Json;
import io.jrun.specs.json.Json.JsonObject;
import java.util.function.Consumer;

/// The events of a container as lines of JSON, in runc's shape.
record Events(String id, HostProcess init, Cgroup cgroup, Consumer<String> out) {
  /// How soon the end of the container is seen.
  private static final long LONGEST_WAIT_MILLIS = 500;

  /// Prints until the container ends; with an interval of 0, prints statistics once.
  void tell(long intervalMillis) {
    if (intervalMillis == 0) {
      statistics();
      return;
    }
    try (OomWatch watch = cgroup.watchOom()) {
      long next = System.nanoTime() + intervalMillis * 1_000_000;
      while (init.alive()) {
        long left = (next - System.nanoTime()) / 1_000_000;
        if (left <= 0) {
          statistics();
          next += intervalMillis * 1_000_000;
        } else if (watch.await(Math.min(left, LONGEST_WAIT_MILLIS))) {
          event("oom");
        }
      }
    }
  }

  private void statistics() {
    out.accept(head("stats").with("data", cgroup.statistics()).toText("") + "\n");
  }

  private void event(String type) {
    out.accept(head(type).toText("") + "\n");
  }

  private JsonObject head(String type) {
    return JsonObject.EMPTY.with("type", Json.of(type)).with("id", Json.of(id));
  }
}

package io.jrun.runtime.container;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.JsonWriter;
import java.time.Instant;
import java.util.Map;

/// state.json: the container as it is known after every process of jrun is gone.
///
/// @param initPid 0 before init is born
/// @param initStartTime field 22 of proc_pid_stat(5), which tells init from a later process with its pid
/// @param cgroups the container's directory in each hierarchy
record StoredState(
    String id, String bundle, String rootfs, Instant created, int initPid, long initStartTime, Map<String, String> cgroups) {
  StoredState {
    cgroups = Map.copyOf(cgroups);
  }

  static StoredState read(byte[] json) {
    return JsonReader.read(
        "state.json",
        json,
        r ->
            new StoredState(
                r.string("id"), r.string("bundle"), r.string("rootfs"), Instant.parse(r.string("created")),
                r.int32("initPid"), r.int64("initStartTime"), r.stringMap("cgroups")));
  }

  Json.JsonObject toJson() {
    return new JsonWriter(Json.JsonObject.EMPTY)
        .string("id", id).string("bundle", bundle).string("rootfs", rootfs).string("created", created.toString())
        .number("initPid", initPid).number("initStartTime", initStartTime).stringMap("cgroups", cgroups).object();
  }

  StoredState withInit(int pid, long startTime) {
    return new StoredState(id, bundle, rootfs, created, pid, startTime, cgroups);
  }

  StoredState withCgroups(Map<String, String> paths) {
    return new StoredState(id, bundle, rootfs, created, initPid, initStartTime, paths);
  }
}

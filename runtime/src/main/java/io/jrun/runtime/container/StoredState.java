package io.jrun.runtime.container;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.JsonWriter;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/// state.json: the container as it is known after every process of jrun is gone.
///
/// @param initPid 0 before init is born
/// @param initStartTime field 22 of proc_pid_stat(5), which tells init from a later process with
///   its pid
/// @param cgroups the container's directory in each hierarchy
/// @param preservedFds descriptors from 3 on that the program keeps
/// @param listenFds of them, those of LISTEN_FDS (sd_listen_fds(3))
record StoredState(
    String id,
    String bundle,
    String rootfs,
    Instant created,
    int initPid,
    long initStartTime,
    Map<String, String> cgroups,
    int preservedFds,
    int listenFds,
    List<String> resctrl) {
  StoredState {
    cgroups = Map.copyOf(cgroups);
    resctrl = List.copyOf(resctrl);
  }

  /// Of a container without groups of Intel RDT.
  StoredState(
      String id,
      String bundle,
      String rootfs,
      Instant created,
      int initPid,
      long initStartTime,
      Map<String, String> cgroups,
      int preservedFds,
      int listenFds) {
    this(
        id,
        bundle,
        rootfs,
        created,
        initPid,
        initStartTime,
        cgroups,
        preservedFds,
        listenFds,
        List.of());
  }

  static StoredState read(byte[] json) {
    return JsonReader.read(
        "state.json",
        json,
        r ->
            new StoredState(
                r.string("id"),
                r.string("bundle"),
                r.string("rootfs"),
                Instant.parse(r.string("created")),
                r.int32("initPid"),
                r.int64("initStartTime"),
                r.stringMap("cgroups"),
                r.int32("preservedFds"),
                r.int32("listenFds"),
                r.strings("resctrl")));
  }

  Json.JsonObject toJson() {
    return new JsonWriter(Json.JsonObject.EMPTY)
        .string("id", id)
        .string("bundle", bundle)
        .string("rootfs", rootfs)
        .string("created", created.toString())
        .number("initPid", initPid)
        .number("initStartTime", initStartTime)
        .stringMap("cgroups", cgroups)
        .number("preservedFds", preservedFds)
        .number("listenFds", listenFds)
        .strings("resctrl", resctrl)
        .object();
  }

  StoredState withInit(int pid, long startTime) {
    return new StoredState(
        id, bundle, rootfs, created, pid, startTime, cgroups, preservedFds, listenFds, resctrl);
  }

  StoredState withResctrl(List<String> directories) {
    return new StoredState(
        id,
        bundle,
        rootfs,
        created,
        initPid,
        initStartTime,
        cgroups,
        preservedFds,
        listenFds,
        directories);
  }

  StoredState withCgroups(Map<String, String> paths) {
    return new StoredState(
        id,
        bundle,
        rootfs,
        created,
        initPid,
        initStartTime,
        paths,
        preservedFds,
        listenFds,
        resctrl);
  }
}

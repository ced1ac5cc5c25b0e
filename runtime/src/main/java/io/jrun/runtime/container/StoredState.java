package io.jrun.runtime.container;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.JsonWriter;
import io.jrun.specs.runtime.Rfc3339;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// The container as it is known after every process of jrun is gone.
///
/// @param given what it was to be from the first
/// @param initPid 0 before init is born
/// @param initStartTime field 22 of proc_pid_stat(5), which tells init from a later process with
///   its pid
/// @param cgroups the container's directory in each hierarchy
/// @param scope of systemd that they are, and where it is asked for; empty where they are not
/// @param addresses its own on networks, or its sandbox's, each with a prefix
/// @param resctrl directories of groups that go with the container, in that order
/// @param rootMounts its [HostRootMount]
record StoredState(
    Given given,
    int initPid,
    long initStartTime,
    Map<String, String> cgroups,
    Map<String, String> scope,
    List<String> addresses,
    List<String> resctrl,
    RootMounts rootMounts) {
  /// What does not change in a container's life.
  ///
  /// @param preservedFds descriptors from 3 on that the program keeps
  /// @param listenFds of them, those of LISTEN_FDS (sd_listen_fds(3))
  /// @param pauses whether it is a sandbox, whose init is the pause process
  /// @param sandbox the name of the sandbox that it has joined; null for none
  /// @param imageStore the store of images that made the bundle, which goes with the container;
  ///   empty where somebody else did
  /// @param networks what it is, or is about to be, attached to; null for nothing
  record Given(
      String id,
      String bundle,
      String rootfs,
      Instant created,
      int preservedFds,
      int listenFds,
      boolean pauses,
      @Nullable String sandbox,
      String imageStore,
      @Nullable Networks networks) {}

  /// Networks as they were found when it was made, for who has another environment later.
  ///
  /// @param configs the directory of their configurations
  /// @param plugins the directories of plugins
  record Networks(List<String> names, String configs, List<String> plugins) {
    Networks {
      names = List.copyOf(names);
      plugins = List.copyOf(plugins);
    }

    static Networks read(JsonReader r) {
      return new Networks(r.strings("names"), r.string("configs"), r.strings("plugins"));
    }

    Json.JsonObject toJson() {
      return new JsonWriter(Json.JsonObject.EMPTY)
          .strings("names", names)
          .string("configs", configs)
          .strings("plugins", plugins)
          .object();
    }
  }

  /// Mounts on the path of its root file system, by their ids.
  ///
  /// @param own 0 where it has none
  /// @param below those of other containers that its own lies on, from the upper to the lower
  record RootMounts(long own, List<Long> below) {
    static final RootMounts NONE = new RootMounts(0, List.of());

    RootMounts {
      below = List.copyOf(below);
    }

    private static RootMounts read(JsonReader r) {
      return new RootMounts(
          r.int64("rootMount"), r.strings("rootMountsBelow").stream().map(Long::valueOf).toList());
    }

    private void write(JsonWriter all) {
      if (own == 0) return;
      all.number("rootMount", own)
          .strings("rootMountsBelow", below.stream().map(String::valueOf).toList());
    }
  }

  StoredState {
    cgroups = Map.copyOf(cgroups);
    addresses = List.copyOf(addresses);
    scope = Map.copyOf(scope);
    resctrl = List.copyOf(resctrl);
  }

  /// Of a container of which nothing is made yet.
  static StoredState begun(Given given) {
    return new StoredState(given, 0, 0, Map.of(), Map.of(), List.of(), List.of(), RootMounts.NONE);
  }

  /// @param path of the file
  static StoredState read(String path, byte[] json) {
    return JsonReader.read(
        path,
        json,
        r ->
            new StoredState(
                new Given(
                    r.string("id"),
                    r.string("bundle"),
                    r.string("rootfs"),
                    Rfc3339.parse(r.string("created")),
                    r.int32("preservedFds"),
                    r.int32("listenFds"),
                    r.bool("pauses"),
                    r.optionalString("sandbox"),
                    Objects.requireNonNullElse(r.optionalString("imageStore"), ""),
                    r.object("networks", Networks::read)),
                r.int32("initPid"),
                r.int64("initStartTime"),
                r.stringMap("cgroups"),
                r.stringMap("scope"),
                r.strings("addresses"),
                r.strings("resctrl"),
                RootMounts.read(r)));
  }

  Json.JsonObject toJson() {
    JsonWriter all =
        new JsonWriter(Json.JsonObject.EMPTY)
            .string("id", id())
            .string("bundle", bundle())
            .string("rootfs", rootfs())
            .string("created", Rfc3339.fixed(created()))
            .number("initPid", initPid)
            .number("initStartTime", initStartTime)
            .stringMap("cgroups", cgroups);
    if (!scope.isEmpty()) all.stringMap("scope", scope);
    rootMounts.write(all);
    Networks networks = networks();
    return all.number("preservedFds", preservedFds())
        .number("listenFds", listenFds())
        .bool("pauses", pauses())
        .string("sandbox", sandbox())
        .strings("addresses", addresses)
        .member("imageStore", imageStore().isEmpty() ? null : Json.of(imageStore()))
        .strings("resctrl", resctrl)
        .member("networks", networks == null ? null : networks.toJson())
        .object();
  }

  String id() {
    return given.id;
  }

  String bundle() {
    return given.bundle;
  }

  String rootfs() {
    return given.rootfs;
  }

  Instant created() {
    return given.created;
  }

  int preservedFds() {
    return given.preservedFds;
  }

  int listenFds() {
    return given.listenFds;
  }

  boolean pauses() {
    return given.pauses;
  }

  @Nullable String sandbox() {
    return given.sandbox;
  }

  String imageStore() {
    return given.imageStore;
  }

  @Nullable Networks networks() {
    return given.networks;
  }

  StoredState withInit(int pid, long startTime) {
    return new StoredState(given, pid, startTime, cgroups, scope, addresses, resctrl, rootMounts);
  }

  StoredState withCgroups(Map<String, String> paths, Map<String, String> ofScope) {
    return new StoredState(
        given, initPid, initStartTime, paths, ofScope, addresses, resctrl, rootMounts);
  }

  StoredState withResctrl(List<String> directories) {
    return new StoredState(
        given, initPid, initStartTime, cgroups, scope, addresses, directories, rootMounts);
  }

  StoredState withRootMounts(RootMounts mounts) {
    return new StoredState(
        given, initPid, initStartTime, cgroups, scope, addresses, resctrl, mounts);
  }

  StoredState withAddresses(List<String> all) {
    return new StoredState(given, initPid, initStartTime, cgroups, scope, all, resctrl, rootMounts);
  }
}

package io.jrun.specs.image;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.JsonWriter;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// How an image wants to be run: the member `config` of config.md.
///
/// @param user `user`, `uid`, `user:group`, `uid:gid` and mixtures of them
public record Execution(
    @Nullable String user,
    Set<String> exposedPorts,
    List<String> env,
    List<String> entrypoint,
    List<String> cmd,
    Set<String> volumes,
    @Nullable String workingDir,
    Map<String, String> labels,
    @Nullable String stopSignal,
    Json.JsonObject unknown) {
  public static final Execution NONE =
      new Execution(
          null,
          Set.of(),
          List.of(),
          List.of(),
          List.of(),
          Set.of(),
          null,
          Map.of(),
          null,
          Json.JsonObject.EMPTY);

  public Execution {
    exposedPorts = Collections.unmodifiableSet(new TreeSet<>(exposedPorts));
    env = List.copyOf(env);
    entrypoint = List.copyOf(entrypoint);
    cmd = List.copyOf(cmd);
    volumes = Collections.unmodifiableSet(new TreeSet<>(volumes));
    labels = Collections.unmodifiableMap(new LinkedHashMap<>(labels));
  }

  static Execution read(JsonReader r) {
    return new Execution(
        r.optionalString("User"),
        r.objectMap("ExposedPorts", any -> any).keySet(),
        r.strings("Env"),
        r.strings("Entrypoint"),
        r.strings("Cmd"),
        r.objectMap("Volumes", any -> any).keySet(),
        r.optionalString("WorkingDir"),
        r.stringMap("Labels"),
        r.optionalString("StopSignal"),
        r.unknown());
  }

  private static @Nullable Json set(Set<String> names) {
    if (names.isEmpty()) return null;
    LinkedHashMap<String, Json> members = new LinkedHashMap<>();
    for (String name : names) members.put(name, Json.JsonObject.EMPTY);
    return new Json.JsonObject(members);
  }

  public Json.JsonObject toJson() {
    return new JsonWriter(unknown)
        .string("User", user)
        .member("ExposedPorts", set(exposedPorts))
        .strings("Env", env)
        .strings("Entrypoint", entrypoint)
        .strings("Cmd", cmd)
        .member("Volumes", set(volumes))
        .string("WorkingDir", workingDir)
        .stringMap("Labels", labels)
        .string("StopSignal", stopSignal)
        .object();
  }
}

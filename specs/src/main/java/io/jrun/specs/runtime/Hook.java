package io.jrun.specs.runtime;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.JsonWriter;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A program; `args` includes argv[0] and may be empty, `timeoutSeconds` is null for none.
public record Hook(
    String path,
    List<String> args,
    List<String> env,
    @Nullable Long timeoutSeconds,
    Json.JsonObject unknown) {
  public Hook {
    args = List.copyOf(args);
    env = List.copyOf(env);
  }

  static Hook read(JsonReader r) {
    return new Hook(
        r.string("path"),
        r.strings("args"),
        r.strings("env"),
        r.optionalInt64("timeout"),
        r.unknown());
  }

  /// The hook, with this environment where it has none of its own.
  public Hook withDefaultEnv(List<String> otherwise) {
    return env.isEmpty() ? new Hook(path, args, otherwise, timeoutSeconds, unknown) : this;
  }

  public Json.JsonObject toJson() {
    return new JsonWriter(unknown)
        .string("path", path)
        .strings("args", args)
        .strings("env", env)
        .optionalNumber("timeout", timeoutSeconds)
        .object();
  }
}

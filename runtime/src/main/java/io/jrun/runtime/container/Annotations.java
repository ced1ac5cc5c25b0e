package io.jrun.runtime.container;

import io.jrun.cni.policy.IdentityConfig;
import io.jrun.runtime.cli.Additions;
import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Annotations by which a config asks for what the specification has no words for. What the command
/// line asks becomes annotations of the config that is kept, so every later command finds it there,
/// as it finds what a caller wrote itself.
final class Annotations {
  /// Names of networks between commas; the first is eth0.
  static final String NETWORK = "io.jrun.network";

  /// Ports between commas, each `[hostip:]hostport:port[/protocol]`.
  static final String PUBLISH = "io.jrun.publish";

  /// The sandbox whose namespaces the container joins.
  static final String SANDBOX = "io.jrun.sandbox";

  private Annotations() {}

  /// The config with what the command line adds to it.
  static byte[] asked(byte[] config, Additions additions) {
    if (additions.networks().isEmpty()
        && additions.ports().isEmpty()
        && additions.sandbox() == null
        && additions.metadata().isEmpty()) {
      return config;
    }
    Json.JsonObject json = JsonReader.read("config.json", config, JsonReader::object);
    Json.JsonObject all =
        json.member("annotations") instanceof Json.JsonObject given ? given : Json.JsonObject.EMPTY;
    for (Map.Entry<String, String> one : additions.metadata().annotations().entrySet()) {
      all = all.with(one.getKey(), Json.of(one.getValue()));
    }
    String labels = labels(all, additions.metadata().labels());
    all = with(all, IdentityConfig.ANNOTATION, labels.isEmpty() ? null : labels);
    all = with(all, NETWORK, joined(additions.networks()));
    all = with(all, PUBLISH, joined(additions.ports()));
    all = with(all, SANDBOX, additions.sandbox());
    return json.with("annotations", all).toText().getBytes(StandardCharsets.UTF_8);
  }

  /// Behind what the config has: the last of a key is the one that holds.
  private static String labels(Json.JsonObject all, Map<String, String> given) {
    List<String> pairs = new ArrayList<>();
    if (all.member(IdentityConfig.ANNOTATION) instanceof Json.JsonString(String text)
        && !text.isBlank()) {
      pairs.add(text);
    }
    given.forEach((key, value) -> pairs.add(key + "=" + value));
    return String.join(",", pairs);
  }

  /// Null for none, and not for a name that is empty.
  private static @Nullable String joined(List<String> texts) {
    return texts.isEmpty() ? null : String.join(",", texts);
  }

  private static Json.JsonObject with(Json.JsonObject all, String key, @Nullable String value) {
    return value == null ? all : all.with(key, Json.of(value));
  }
}

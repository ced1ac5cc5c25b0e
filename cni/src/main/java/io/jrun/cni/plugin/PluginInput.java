package io.jrun.cni.plugin;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// What a plugin reads from its standard input: its configuration, and the result of the plugin
/// before it, or of its own ADD. These are apart, as the first is the same in every call.
///
/// @param previous gives null where there is no such result
public record PluginInput(Json.JsonObject config, Supplier<Json.@Nullable JsonObject> previous) {
  private static final String PREVIOUS = "prevResult";

  /// Without a result.
  public PluginInput(Json.JsonObject config) {
    this(config, () -> null);
  }

  /// Reads what a runtime has sent.
  public static PluginInput read(byte[] stdin) {
    Json.JsonObject all = JsonReader.read("the configuration", stdin, JsonReader::object);
    if (!(all.member(PREVIOUS) instanceof Json.JsonObject previous)) return new PluginInput(all);
    LinkedHashMap<String, Json> config = new LinkedHashMap<>(all.members());
    config.remove(PREVIOUS);
    return new PluginInput(new Json.JsonObject(config), () -> previous);
  }

  /// As text.
  public byte[] bytes() {
    Json.JsonObject before = previous.get();
    Json.JsonObject all = before == null ? config : config.with(PREVIOUS, before);
    return all.toText().getBytes(StandardCharsets.UTF_8);
  }
}

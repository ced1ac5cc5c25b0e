package io.jrun.cni.simple;

import io.jrun.cni.plugin.PluginInput;
import io.jrun.specs.json.Json;
import io.jrun.specs.json.LatestParsed;
import java.util.Map;
import java.util.function.Supplier;

/// The configurations that were read last: a runtime sends the same one with every call, but for
/// the result of its ADD.
final class RecentConfigs {
  private static final int MOST = 32;

  private record Key(String cniArgs, Json.JsonObject config) {}

  private final Map<Key, SimpleConfig> recent = new LatestParsed<>(MOST);
  private final Map<String, PluginInput> texts = new LatestParsed<>(MOST);

  /// The configuration of that input; reading it depends on nothing else.
  synchronized SimpleConfig get(PluginInput input, String cniArgs) {
    Key key = new Key(cniArgs, input.config());
    SimpleConfig known = recent.get(key);
    if (known != null) return known;
    SimpleConfig config = SimpleConfig.read(input.config(), cniArgs);
    recent.put(key, config);
    return config;
  }

  /// The input of that text.
  synchronized PluginInput input(String text, Supplier<PluginInput> parse) {
    PluginInput known = texts.get(text);
    if (known != null) return known;
    PluginInput input = parse.get();
    texts.put(text, input);
    return input;
  }
}

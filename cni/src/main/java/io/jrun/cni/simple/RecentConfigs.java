package io.jrun.cni.simple;

import io.jrun.specs.json.LatestParsed;
import java.util.Map;
import java.util.function.Supplier;

/// The configurations that were read last: a runtime sends the same one with every ADD.
final class RecentConfigs {
  private static final int MOST = 32;

  private final Map<String, SimpleConfig> recent = new LatestParsed<>(MOST);

  /// The configuration of that input; reading it depends on nothing else.
  synchronized SimpleConfig get(String input, Supplier<SimpleConfig> read) {
    SimpleConfig known = recent.get(input);
    if (known != null) return known;
    SimpleConfig config = read.get();
    recent.put(input, config);
    return config;
  }
}

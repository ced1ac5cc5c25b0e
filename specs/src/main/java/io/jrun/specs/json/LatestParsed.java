package io.jrun.specs.json;

import java.util.LinkedHashMap;
import java.util.Map;

/// What was parsed last, by what it was parsed from. Of those that are too many, the one goes that
/// nobody has asked for the longest time. Not for several threads at once.
public final class LatestParsed<K, V> extends LinkedHashMap<K, V> {
  private static final long serialVersionUID = 1L;

  private final int most;

  /// @param most how many are kept
  public LatestParsed(int most) {
    super(16, 0.75f, true);
    this.most = most;
  }

  @Override
  protected boolean removeEldestEntry(Map.Entry<K, V> eldest) {
    return size() > most;
  }
}

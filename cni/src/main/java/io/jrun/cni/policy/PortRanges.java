package io.jrun.cni.policy;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/// Ranges of port numbers without overlaps, which an interval set refuses.
final class PortRanges {
  private PortRanges() {}

  static List<PortRange> merged(List<PortRange> ranges) {
    List<PortRange> sorted =
        ranges.stream()
            .filter(range -> range.name() == null)
            .sorted(Comparator.comparing(PortRange::protocol).thenComparingInt(PortRange::first))
            .toList();
    List<PortRange> result = new ArrayList<>();
    for (PortRange range : sorted) {
      PortRange last = result.isEmpty() ? null : result.getLast();
      if (last != null && last.protocol() == range.protocol() && range.first() <= last.last() + 1) {
        int end = Math.max(last.last(), range.last());
        result.set(result.size() - 1, new PortRange(last.protocol(), last.first(), end, null));
      } else {
        result.add(range);
      }
    }
    return result;
  }
}

package io.jrun.runtime.process;

import java.util.Collection;
import java.util.List;

/// Capabilities by name and as the masks of capset(2) (linux/capability.h, Linux 5.9).
public final class Capabilities {
  /// The names by number: the specification's own list.
  public static final List<String> NAMES = io.jrun.specs.runtime.Capabilities.NAMES;

  private Capabilities() {}

  /// The mask of these names. Unknown ones are passed over, as config.md asks of capabilities that
  /// the kernel cannot grant.
  public static long mask(Collection<String> names) {
    long mask = 0;
    for (String name : names) {
      int bit = NAMES.indexOf(name);
      if (bit >= 0) mask |= 1L << bit;
    }
    return mask;
  }

  /// The names that are in a mask.
  public static List<String> names(long mask) {
    return NAMES.stream().filter(name -> (mask & mask(List.of(name))) != 0).toList();
  }
}

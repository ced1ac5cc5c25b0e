package io.jrun.specs.runtime;

import java.util.BitSet;

/// A list of CPUs or memory nodes such as `0-3,7` (cpuset(7)).
public final class IdSet {
  private static final int LARGEST = 65_535;

  private IdSet() {}

  /// The numbers of a list, of which an empty one has none.
  public static BitSet of(String list) {
    BitSet ids = new BitSet();
    for (String range : list.replace(" ", "").split(",")) {
      if (range.isEmpty()) continue;
      String[] ends = range.split("-", -1);
      int first = number(list, ends[0]);
      int last = ends.length == 1 ? first : number(list, ends[1]);
      if (ends.length > 2 || last < first) throw invalid(list);
      ids.set(first, last + 1);
    }
    return ids;
  }

  private static int number(String list, String text) {
    if (!text.matches("[0-9]{1,5}") || Integer.parseInt(text) > LARGEST) throw invalid(list);
    return Integer.parseInt(text);
  }

  private static IllegalArgumentException invalid(String list) {
    return new IllegalArgumentException("invalid list \"" + list + "\": want such as 0-3,7");
  }
}

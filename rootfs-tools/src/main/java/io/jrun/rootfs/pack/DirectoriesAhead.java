package io.jrun.rootfs.pack;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/// Lists directories before they are asked for: those beside one another, and those below them,
/// with a few messages for all, as the process that lists is woken by each.
final class DirectoriesAhead {
  /// How many are listed at once; each is open meanwhile.
  private static final int AT_ONCE = 64;

  /// How many files may be known before they are asked for, until no more are listed.
  private static final int MOST = 6000;

  private final TreeReader tree;
  private final Map<String, List<Node>> listed = new HashMap<>();
  private int known;

  DirectoriesAhead(TreeReader tree) {
    this.tree = tree;
  }

  /// What is in the first of these directories, the others of which will be asked for next.
  List<Node> children(List<String> directories) {
    String first = directories.getFirst();
    if (!listed.containsKey(first)) list(directories);
    List<Node> nodes = Objects.requireNonNull(listed.remove(first));
    known -= nodes.size();
    return nodes;
  }

  /// Those beside the first as far as one message goes, then those below, level by level.
  private void list(List<String> directories) {
    Deque<String> next =
        new ArrayDeque<>(directories.subList(0, Math.min(directories.size(), AT_ONCE)));
    do {
      List<String> some = new ArrayList<>();
      while (some.size() < AT_ONCE && !next.isEmpty()) some.add(next.remove());
      List<List<Node>> contents = tree.children(some);
      for (int i = 0; i < some.size(); i++) {
        List<Node> nodes = contents.get(i);
        listed.put(some.get(i), nodes);
        known += nodes.size();
        for (Node node : nodes) if (node.isDirectory()) next.add(node.path());
      }
    } while (known < MOST && !next.isEmpty());
  }
}

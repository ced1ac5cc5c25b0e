package io.jrun.rootfs.unpack;

import io.jrun.rootfs.RootfsException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/// The parts of a path that are still to be walked, with those of symbolic links on the way.
final class Steps {
  private static final int MOST_LINKS = 40;

  private final String path;
  private final Deque<String> parts;
  private int links;

  Steps(String path) {
    this.path = path;
    this.parts = new ArrayDeque<>(List.of(path.split("/")));
  }

  boolean hasNext() {
    return !parts.isEmpty();
  }

  String next() {
    return parts.removeFirst();
  }

  /// Goes where a link leads first.
  void follow(String target) {
    if (++links > MOST_LINKS) {
      throw new RootfsException(path + ": too many levels of symbolic links");
    }
    String[] steps = target.split("/");
    for (int i = steps.length - 1; i >= 0; i--) {
      if (!steps[i].isEmpty() && !steps[i].equals(".")) parts.addFirst(steps[i]);
    }
  }
}

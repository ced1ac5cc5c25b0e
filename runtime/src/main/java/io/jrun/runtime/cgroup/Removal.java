package io.jrun.runtime.cgroup;

import io.jrun.kernel.KernelException;
import io.jrun.kernel.call.Errno;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Removes cgroups with what is below them. A process that was killed holds its cgroup until it is
/// reaped: EBUSY for a moment.
record Removal(CgroupFiles files) {
  private static final long TIMEOUT_MILLIS = 2000;
  private static final long LONGEST_PAUSE_MILLIS = 100;

  void remove(Collection<String> directories) {
    List<String> left = new ArrayList<>(directories);
    long end = System.nanoTime() + TIMEOUT_MILLIS * 1_000_000;
    for (long pause = 1; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MILLIS)) {
      KernelException busy = pass(left);
      if (busy == null) return;
      if (System.nanoTime() >= end)
        throw new CgroupException("unable to remove the container's cgroup", busy);
      Cgroup.pause(pause);
    }
  }

  /// Tries each once, and keeps those that are busy in the list.
  private @Nullable KernelException pass(List<String> left) {
    List<String> still = new ArrayList<>();
    KernelException first = null;
    for (String directory : left) {
      KernelException busy = tree(directory);
      if (busy == null) continue;
      still.add(directory);
      if (first == null) first = busy;
    }
    left.clear();
    left.addAll(still);
    return first;
  }

  /// One call where nothing is below and nothing runs.
  private @Nullable KernelException tree(String directory) {
    KernelException busy = rmdir(directory);
    if (busy == null) return null;
    List<String> children = files.children(directory);
    if (children.isEmpty()) return busy;
    for (String child : children) {
      KernelException below = tree(directory + "/" + child);
      if (below != null) return below;
    }
    return rmdir(directory);
  }

  private @Nullable KernelException rmdir(String directory) {
    try {
      files.rmdir(directory);
      return null;
    } catch (KernelException e) {
      if (CgroupFiles.is(e, Errno.ENOENT)) return null;
      if (CgroupFiles.is(e, Errno.EBUSY) || CgroupFiles.is(e, Errno.ENOTEMPTY)) return e;
      throw new CgroupException("unable to remove the container's cgroup", e);
    }
  }
}

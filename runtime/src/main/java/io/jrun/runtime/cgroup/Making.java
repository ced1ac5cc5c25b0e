package io.jrun.runtime.cgroup;

import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;

/// A container's cgroup in the making, in two steps: where init is born, and the rest. After a
/// failure of either, [#undo] removes what they made.
public sealed interface Making permits CgroupMaking, ScopeMaking {
  /// The cgroup as it is, or will be when it is made.
  Cgroup cgroup();

  /// The v2 directory in which init is born; null where there is none, or where init is only taken
  /// in.
  @Nullable String birthplace();

  /// Whether the second step takes in a process that was born outside.
  boolean takesIn();

  /// Has it belong to a user once it is made, as far as the kernel says that it may be given away
  /// (/sys/kernel/cgroup/delegate): on a v2 machine only.
  void giveTo(int uid);

  void makeBirthplace();

  /// @param pid of the process to take in, asked for only where that is done
  void makeRest(IntSupplier pid);

  /// Failures go to `failure`.
  void undo(RuntimeException failure);
}

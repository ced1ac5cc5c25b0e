package io.jrun.runtime.container;

import io.jrun.kernel.KernelException;
import io.jrun.kernel.call.Errno;
import io.jrun.runtime.cgroup.CgroupException;
import io.jrun.runtime.cli.GlobalOptions;
import io.jrun.specs.runtime.Resources;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// `--rootless`: whether a cgroup that the caller may not make is done without, as runc has it.
final class Rootless {
  private static final List<Errno> REFUSALS = List.of(Errno.EACCES, Errno.EPERM, Errno.EROFS);

  private Rootless() {}

  /// @param isUnprivileged what `auto` stands for
  static boolean is(GlobalOptions global, boolean isUnprivileged) {
    return switch (global.rootless()) {
      case "true" -> true;
      case "false" -> false;
      default -> isUnprivileged;
    };
  }

  /// Returns where the container may do without; throws where it must not, as limits were asked
  /// for.
  ///
  /// @param isUnprivileged what `auto` stands for
  static void allow(
      GlobalOptions global,
      boolean isUnprivileged,
      CgroupException failure,
      @Nullable Resources resources) {
    boolean rootless = is(global, isUnprivileged);
    boolean refused =
        failure.getCause() instanceof KernelException e && REFUSALS.contains(e.errno());
    if (!rootless || !refused) throw failure;
    if (resources != null && limits(resources))
      throw new CgroupException(
          "cannot set limits without a cgroup of the container's own", failure);
  }

  private static boolean limits(Resources r) {
    return r.cpu() != null
        || r.memory() != null
        || r.pids() != null
        || r.blockIo() != null
        || r.network() != null
        || !r.hugepageLimits().isEmpty()
        || !r.rdma().isEmpty()
        || !r.unified().isEmpty();
  }
}

package io.jrun.runtime.cgroup;

import io.jrun.specs.runtime.Resources;
import java.util.Optional;

/// The most tasks of a cgroup, as the kernel and systemd are told. A limit of none leaves no room
/// for init, which must be born: it is the only one then, as with runc since 1.4.
///
/// @param most negative where there is no limit
record PidsLimit(long most) {
  /// Empty where nothing is said of it.
  static Optional<PidsLimit> of(Resources resources) {
    Resources.Pids pids = resources.pids();
    if (pids == null || pids.limit() == null) return Optional.empty();
    return Optional.of(new PidsLimit(pids.limit() < 0 ? -1 : Math.max(pids.limit(), 1)));
  }

  boolean isUnlimited() {
    return most < 0;
  }

  /// For `pids.max`.
  String text() {
    return isUnlimited() ? "max" : Long.toString(most);
  }
}

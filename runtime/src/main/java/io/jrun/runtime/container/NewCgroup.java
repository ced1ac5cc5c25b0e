package io.jrun.runtime.container;

import io.jrun.kernel.Undoing;
import io.jrun.kernel.call.SignalCall;
import io.jrun.runtime.cgroup.Cgroup;
import io.jrun.runtime.cgroup.CgroupException;
import io.jrun.runtime.cgroup.Making;
import io.jrun.runtime.cli.GlobalOptions;
import java.util.Map;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;

/// The cgroup of a container in the making. Where it cannot be made and `--rootless` allows that,
/// the container goes on in its caller's.
final class NewCgroup {
  private final Containers containers;
  private final GlobalOptions global;
  private final Bundle bundle;
  private @Nullable Making making;
  private Cgroup cgroup;
  private boolean isMade;

  NewCgroup(
      Containers containers, ClientProcess client, GlobalOptions global, String id, Bundle bundle) {
    this.containers = containers;
    this.global = global;
    this.bundle = bundle;
    Making planned = CgroupRequest.plan(containers, client, global, id, bundle);
    this.making = planned;
    this.cgroup = planned.cgroup();
  }

  /// As it is, or will be when it is made; empty where the container has none.
  Cgroup cgroup() {
    return cgroup;
  }

  /// The v2 directory in which init is born; null for the caller's.
  @Nullable String birthplace() {
    return making == null ? null : making.birthplace();
  }

  /// Whether the second step takes in a process that was born outside.
  boolean takesIn() {
    return making != null && making.takesIn();
  }

  /// The directories that the container is in, by hierarchy.
  Map<String, String> shown() {
    if (!cgroup.paths().isEmpty()) return cgroup.paths();
    return containers.cgroups.current(bundle.ownCgroups()); // as runc
  }

  void makeBirthplace() {
    if (making == null) return;
    try {
      making.makeBirthplace();
    } catch (CgroupException e) {
      doWithout(e);
    }
  }

  /// @param pid of the process to take in, asked for only where that is done
  void makeRest(IntSupplier pid) {
    if (making == null) return;
    try {
      making.makeRest(pid);
      isMade = true;
    } catch (CgroupException e) {
      doWithout(e);
    }
  }

  /// Goes on without it; fails where that is not allowed.
  void doWithout(CgroupException failure) {
    Rootless.allow(
        global, containers.isUnprivileged(), failure, bundle.config().linux().resources());
    if (making != null) making.undo(failure);
    making = null;
    isMade = false;
    cgroup = containers.cgroups.open(Map.of());
  }

  /// Ends what is in it and removes it, as far as it was made. Failures go to `cause`.
  void undo(RuntimeException cause) {
    if (making == null) return;
    if (!isMade) making.undo(cause);
    else
      Undoing.suppressing(
          cause,
          () -> {
            cgroup.signal(SignalCall.SIGKILL);
            cgroup.remove();
          });
  }
}

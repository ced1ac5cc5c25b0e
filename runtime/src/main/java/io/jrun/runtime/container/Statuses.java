package io.jrun.runtime.container;

import io.jrun.specs.runtime.Status;
import java.nio.file.Files;

/// How a container is, from what is stored of it and what its init does.
final class Statuses {
  /// What a helper that will become a container's process runs from.
  private static final String SEALED = "/memfd:jrun";

  private Statuses() {}

  static Status of(Containers containers, Store store, Store.Stored stored) {
    StoredState state = stored.state();
    if (state.initPid() == 0) return Status.CREATING;
    HostProcess init = containers.init(state);
    if (!init.alive()) return Status.STOPPED;
    // only before the start is it asked what init runs: a program could name itself as it likes
    boolean waits = !stored.started() && isHelper(init);
    if (waits && !Files.exists(store.initSocket(state.id()))) return Status.CREATING;
    boolean isRestored = !stored.started() && !waits;
    if (isRestored && Restoration.isUnderWay(store, state.id())) return Status.CREATING;
    if (containers.cgroup(state).frozen()) return Status.PAUSED;
    return waits ? Status.CREATED : Status.RUNNING;
  }

  static boolean isHelper(HostProcess process) {
    String exe = process.exe();
    return exe.startsWith(SEALED)
        || exe.endsWith("/bin/jrun")
        || exe.endsWith("/bin/jrun (deleted)") // of the build before
        || exe.equals(HostProcess.HIDDEN);
  }
}

package io.jrun.runtime.container;

import io.jrun.cni.container.Networks;
import io.jrun.kernel.call.SignalCall;
import io.jrun.runtime.cgroup.Cgroup;
import io.jrun.runtime.resctrl.Resctrl;
import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.NamespaceType;
import io.jrun.specs.runtime.Status;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Ends what is left of a container and undoes what its creation made, in reverse. May be repeated.
final class Deletion {
  static final long END_MILLIS = 10_000;

  private final Containers containers;
  private final ClientProcess client;
  private final Store store;

  Deletion(Containers containers, ClientProcess client, Store store) {
    this.containers = containers;
    this.client = client;
    this.store = store;
  }

  /// @param force also one that runs, and one that is not there is no error
  void delete(String id, boolean force) {
    Optional<Claim> claimed = store.claim(id, END_MILLIS);
    if (claimed.isEmpty()) {
      if (!force) throw new ContainerException("container does not exist");
      return;
    }
    try (Claim claim = claimed.get()) {
      Optional<Store.Stored> found = store.find(id);
      if (found.isPresent() && found.get().state().pauses())
        throw new ContainerException(id + " is a sandbox: jrun sandbox rm " + id + " removes it");
      delete(claim, id, found, force);
    }
  }

  /// Removes what an engine leaves that dies before the client knows how to undo more than taking
  /// the id: the id, or a container that is half made, and that nobody is making, as it could be
  /// claimed. One that was there before stays.
  void deleteUnfinished(String id) {
    Optional<Claim> claimed = store.claim(id, END_MILLIS);
    if (claimed.isEmpty()) return;
    try (Claim claim = claimed.get()) {
      Optional<Store.Stored> found = store.find(id);
      if (found.isEmpty() || found.get().config() == null) delete(claim, id, found, true);
    }
  }

  /// @param found what is stored of it, read while the claim was held
  void delete(Claim claim, String id, Optional<Store.Stored> found, boolean force) {
    if (found.isEmpty()) {
      if (!force) throw new ContainerException("container does not exist");
      store.delete(claim, id);
      return;
    }
    Store.Stored stored = found.get();
    StoredState state = stored.state();
    Status status = Statuses.of(containers, store, stored);
    if (!force && status != Status.STOPPED && status != Status.CREATED) {
      throw new ContainerException(
          "cannot delete container " + id + " that is not stopped: " + status.text());
    }
    if (stored.config() == null) {
      destroyHalfMade(state);
      giveBack(claim, state, false);
    } else {
      destroy(claim, state, containers.configs.of(stored), containers.cgroup(state));
    }
  }

  /// Ends what a crash of create or restore left. Where its init is not in the cgroup, other
  /// processes that are may be somebody else's: that the cgroup was empty before had perhaps not
  /// been checked yet.
  private void destroyHalfMade(StoredState state) {
    new Networking(containers, client, store, state).detachHalfMade();
    if (state.cgroups().isEmpty()) return;
    Cgroup cgroup = containers.cgroup(state);
    List<Integer> pids = cgroup.pids();
    boolean isOurs =
        Restoration.isUnderWay(store, state.id())
            || pids.stream()
                .anyMatch(pid -> Statuses.isHelper(HostProcess.of(containers.kernel, pid)));
    if (isOurs) cgroup.signal(SignalCall.SIGKILL);
    // a scope of that name may be somebody else's, and is not stopped
    else if (!pids.isEmpty()) cgroup = containers.cgroups.open(state.cgroups());
    cgroup.remove();
  }

  /// Ends what is left and undoes what create made, in reverse; may be repeated.
  void destroy(Claim claim, StoredState state, Config config, Cgroup cgroup) {
    destroy(claim, state, config, cgroup, null);
  }

  /// @param networks what is known of them already; null where that is to be looked up
  void destroy(
      Claim claim,
      StoredState state,
      Config config,
      Cgroup cgroup,
      Networks.@Nullable Known networks) {
    HostProcess init = containers.init(state);
    if (init.alive()) {
      HostProcess tracer = init.tracer();
      init.signal(SignalCall.SIGKILL);
      cgroup.signal(SignalCall.SIGKILL);
      if (isCriu(tracer)) tracer.signal(SignalCall.SIGKILL);
      if (!init.awaitEnd(END_MILLIS))
        throw new ContainerException("init does not end: pid " + state.initPid());
    }
    // the end of init is that of the others only in a pid namespace of its own
    if (!config.linux().makes(NamespaceType.PID)) cgroup.signal(SignalCall.SIGKILL);
    // before the networks: then nobody is left who uses them, and the kernel, which may have begun
    // to remove the link when init ended (decision 35), goes on with that meanwhile
    cgroup.remove();
    boolean isWired = Networking.isWanted(config);
    if (isWired) {
      Networking networking = new Networking(containers, client, store, state);
      if (networks == null) networking.detach();
      else networking.detach(networks);
    }
    client.log.step("removed the cgroups and networks of ", state.id());
    giveBack(claim, state, isWired);
    new HookRunner(containers.kernel, client, config, state).poststop();
  }

  /// @param namesHosts as [Store#delete] has it
  private void giveBack(Claim claim, StoredState state, boolean namesHosts) {
    try (Claim _ = HostRootMount.turn(claim, state)) {
      if (!HostRootMount.unmount(client.helper, store, state))
        client.log.warning(
            "what is mounted at " + state.rootfs() + " is not the container's, and stays");
      releaseImage(state);
      Resctrl.remove(containers.kernel, state.resctrl());
      store.delete(claim, state.id(), namesHosts);
    }
  }

  /// Before the id is given back, so that a delete that was killed can be repeated.
  private void releaseImage(StoredState state) {
    if (state.imageStore().isEmpty()) return;
    ImageStores stores = new ImageStores(containers, client);
    stores.bundles(stores.images(state.imageStore())).release(state.id());
  }

  /// Whether it is a CRIU that saves the container and perhaps waits for somebody to fetch its
  /// pages: init may not end before what traces its children lets them go, and that waits on.
  private static boolean isCriu(HostProcess tracer) {
    return tracer.exe().endsWith("/criu");
  }
}

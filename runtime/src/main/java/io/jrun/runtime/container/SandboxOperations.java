package io.jrun.runtime.container;

import io.jrun.kernel.call.SignalCall;
import io.jrun.runtime.cli.CreateOptions;
import io.jrun.runtime.cli.SandboxOptions;
import io.jrun.runtime.cli.SandboxSummary;
import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.Rfc3339;
import io.jrun.specs.runtime.Status;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/// The operations of one client on sandboxes. A sandbox is a container like any other whose init is
/// the pause process, so it is made, stored and deleted as one.
///
/// ```
///   STATE/NAME            of the sandbox: state, hosts, resolv.conf, hostname
///   STATE/ID              of each container; its state says which sandbox it has joined
/// ```
///
/// Who joins holds the sandbox's lock shared until that is done, who stops or removes it
/// exclusively: so the list of its containers is complete while it goes.
public final class SandboxOperations {
  private final Containers containers;
  private final ClientProcess client;
  private final Store store;

  SandboxOperations(Containers containers, ClientProcess client, Store store) {
    this.containers = containers;
    this.client = client;
    this.store = store;
  }

  public void run(SandboxOptions options) {
    run(options.create(), SandboxSource.of(options, store.directory(options.name())));
  }

  /// Makes a sandbox of its pause process's config, for somebody who outlives this client.
  ///
  /// @param config of the directory of the sandbox's state, see [PauseConfig]
  public Supervised supervise(
      CreateOptions options, Function<Path, Config> config, NameTexts names) {
    Path directory = store.directory(options.id());
    StoredState made = run(options, new SandboxSource(config.apply(directory), directory, names));
    return new Supervised(made.initPid(), made.initStartTime(), null);
  }

  private StoredState run(CreateOptions create, SandboxSource source) {
    if (containers.uid() != 0)
      throw new ContainerException("not implemented yet: sandboxes of users who are not root");
    try (Creation creation =
        new Creation(containers, client, store, create, Creation.Role.LEAVES, source)) {
      Creation.Made made = creation.create();
      try {
        WaitingInit.pause(store, creation.claim(), made);
        return made.state();
      } catch (RuntimeException e) {
        creation.undo(e);
        throw e;
      }
    }
  }

  /// Whether there is a sandbox of that name.
  public boolean has(String name) {
    return store.find(name).filter(stored -> stored.state().pauses()).isPresent();
  }

  /// The containers of a sandbox.
  private List<Store.Stored> members(String name) {
    return store.ids().stream()
        .map(store::find)
        .flatMap(Optional::stream)
        .filter(stored -> name.equals(stored.state().sandbox()))
        .toList();
  }

  private Status status(Store.Stored stored) {
    return Statuses.of(containers, store, stored);
  }

  private Claim claim(String name) {
    return store.claim(name, Deletion.END_MILLIS).orElseThrow(() -> missing(name));
  }

  private static ContainerException missing(String name) {
    return new ContainerException("sandbox " + name + " does not exist");
  }

  private static void checkIsOne(Store.Stored stored) {
    if (!stored.state().pauses())
      throw new ContainerException(stored.state().id() + " is a container, not a sandbox");
  }

  /// Ends its containers, which have some time for it, and then itself; its networks go, and all
  /// else stays until it is removed.
  public void stop(String name, int seconds) {
    ContainerId.check(name);
    try (Claim claim = claim(name)) {
      Store.Stored stored = store.find(name).orElseThrow(() -> missing(name));
      checkIsOne(stored);
      end(members(name), seconds);
      HostProcess pause = containers.init(stored.state());
      pause.signal(SignalCall.SIGKILL);
      if (!pause.awaitEnd(Deletion.END_MILLIS))
        throw new ContainerException("the pause process does not end: pid " + pause.pid());
      new Networking(containers, client, store, stored.state()).detach();
    }
  }

  private void end(List<Store.Stored> members, int seconds) {
    List<Store.Stored> running = new ArrayList<>();
    for (Store.Stored member : members) {
      Status status = status(member);
      if (status == Status.STOPPED) continue;
      // neither a frozen process nor one that waits for its start hears of it
      boolean hears = status == Status.RUNNING && seconds > 0;
      HostProcess init = containers.init(member.state());
      if (hears && init.signal(SignalCall.SIGTERM)) running.add(member);
      else kill(member.state());
    }
    long end = System.nanoTime() + seconds * 1_000_000_000L;
    for (Store.Stored member : running) {
      long left = Math.max(0, (end - System.nanoTime()) / 1_000_000);
      if (!containers.init(member.state()).awaitEnd(left)) kill(member.state());
      // without a pid namespace of its own its other processes are still there
      containers.cgroup(member.state()).signal(SignalCall.SIGKILL);
    }
  }

  private void kill(StoredState state) {
    HostProcess init = containers.init(state);
    init.signal(SignalCall.SIGKILL);
    containers.cgroup(state).signal(SignalCall.SIGKILL);
    if (!init.awaitEnd(Deletion.END_MILLIS))
      throw new ContainerException("init of " + state.id() + " does not end: pid " + init.pid());
  }

  /// Removes it and its containers; without `force` only where none of these is alive.
  public void remove(String name, boolean force) {
    ContainerId.check(name);
    Optional<Claim> claimed = store.claim(name, Deletion.END_MILLIS);
    if (claimed.isEmpty()) {
      if (!force) throw missing(name);
      return;
    }
    Deletion deletion = new Deletion(containers, client, store);
    try (Claim claim = claimed.get()) {
      Optional<Store.Stored> found = store.find(name);
      if (found.isEmpty() && !force) throw missing(name);
      found.ifPresent(SandboxOperations::checkIsOne);
      List<Store.Stored> members = members(name);
      if (!force) checkUnused(name, members);
      members.forEach(member -> deletion.delete(member.state().id(), true));
      deletion.delete(claim, name, found, true);
    }
  }

  private void checkUnused(String name, List<Store.Stored> members) {
    String users =
        members.stream()
            .filter(member -> status(member) != Status.STOPPED)
            .map(member -> member.state().id() + " (" + status(member).text() + ")")
            .collect(Collectors.joining(", "));
    if (!users.isEmpty()) throw new ContainerException("sandbox " + name + " is in use: " + users);
  }

  public List<SandboxSummary> list() {
    List<SandboxSummary> all = new ArrayList<>();
    for (String name : store.ids()) {
      Optional<Store.Stored> found = store.find(name);
      if (found.isEmpty() || !found.get().state().pauses()) continue;
      StoredState state = found.get().state();
      Status status = status(found.get());
      boolean runs = status != Status.STOPPED && status != Status.CREATING;
      all.add(
          new SandboxSummary(
              name,
              runs ? state.initPid() : 0,
              status.text(),
              runs ? state.addresses() : List.of(),
              members(name).stream().map(member -> member.state().id()).toList(),
              Rfc3339.format(state.created())));
    }
    return all;
  }
}

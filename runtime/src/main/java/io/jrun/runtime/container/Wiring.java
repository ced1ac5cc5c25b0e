package io.jrun.runtime.container;

import io.jrun.cni.container.Networks;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.Undoing;
import io.jrun.specs.runtime.Config;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// The network namespace of a container in the making, and the networks that it is attached to.
final class Wiring implements AutoCloseable {
  private final Containers containers;
  private final ClientProcess client;
  private final Store store;
  private final String id;
  private StoredState.@Nullable Networks asked;
  private Networks.@Nullable Attaching attaching;
  private @Nullable NewNetwork network;
  private boolean joinsNewNetwork;
  private @Nullable OwnedDescriptor bornNetwork;
  private boolean mayBeAttached;
  private Consumer<List<Networks.Attached>> told = attached -> {};
  private boolean isTold;
  private Networks.@Nullable Known known;

  Wiring(Containers containers, ClientProcess client, Store store, String id) {
    this.containers = containers;
    this.client = client;
    this.store = store;
    this.id = id;
  }

  /// Begins a namespace before the config is known, where the last container had one.
  void expect() {
    if (containers.lastHadNewNetwork) network = NewNetwork.begin(containers.kernel);
  }

  /// Begins to attach what a config asks for; what that looks at needs the rest of it not.
  void begin(Config config) {
    Networking.check(config);
    asked = Networking.asked(config, client);
    if (asked != null) attaching = networking().begin(config);
  }

  /// What was asked for; null for nothing.
  StoredState.@Nullable Networks asked() {
    return asked;
  }

  /// Begins the namespace that init joins, if it is to join one.
  void make(NamespacePlan namespaces) {
    joinsNewNetwork = namespaces.joinsNewNetwork();
    containers.lastHadNewNetwork = joinsNewNetwork;
    if (joinsNewNetwork && network == null) network = NewNetwork.begin(containers.kernel);
  }

  /// The state says now what the container is attached to, so it may be.
  ///
  /// @param then done with what it is attached to, when init is born: in [#finish], or before it in
  ///   the thread that attaches
  void written(Consumer<List<Networks.Attached>> then) {
    told =
        attached -> {
          then.accept(attached);
          isTold = true;
        };
    if (attaching != null)
      attaching.written(Optional.ofNullable(namespace()).map(made -> made::await), told);
  }

  /// Init is there, and goes to the namespace that was made for it.
  void born(int initPid) {
    if (attaching != null && joinsNewNetwork) attaching.born(Networking.netns(initPid));
  }

  /// The namespace that init joins; null where it is born in its own, or makes none.
  @Nullable NewNetwork namespace() {
    return joinsNewNetwork ? network : null;
  }

  /// Lets the client go into the namespace of an init that is born in it.
  void enter(int initPid) {
    if (!joinsNewNetwork) attaching().enter(Networking.netns(initPid));
  }

  /// Attaches init's namespace.
  ///
  /// @param joined waits until init is in a namespace that was made for it
  List<Networks.Attached> finish(int initPid, Runnable joined) {
    mayBeAttached = true;
    String path = Networking.netns(initPid);
    if (!joinsNewNetwork) bornNetwork = OwnedDescriptor.toRead(containers.kernel, Path.of(path));
    Runnable there = joinsNewNetwork ? joined : () -> {};
    attaching().born(path);
    if (attaching().hasOthers()) there.run();
    networking().keep(attaching(), initPid);
    List<Networks.Attached> attached = attaching().finish(path, there);
    known = Networks.Known.of(attached);
    if (!isTold) told.accept(attached);
    return attached;
  }

  /// What it is attached to; null for nothing.
  Networks.@Nullable Known known() {
    return known;
  }

  private Networks.Attaching attaching() {
    return Objects.requireNonNull(attaching);
  }

  private Networking networking() {
    return new Networking(containers, client, store, id, asked);
  }

  /// Ends what is under way, while init is still there: the client may be on its way into its
  /// namespace.
  void abandon(RuntimeException cause) {
    if (attaching != null) Undoing.suppressing(cause, attaching::abandon);
  }

  void undo(RuntimeException cause) {
    if (mayBeAttached) Undoing.suppressing(cause, networking()::detach);
  }

  /// Lets the namespace be the container's alone. Who has attached it keeps it to the end: the
  /// kernel's removal of it would hold up the links'.
  void release() {
    if (network != null && attaching == null) network.close();
  }

  @Override
  public void close() {
    if (network != null) network.close();
    Claim.close(bornNetwork);
  }
}

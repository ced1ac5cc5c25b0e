package io.jrun.runtime.container;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperGoneException;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.NamespaceCall;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.kernel.call.PseudoCall;
import io.jrun.kernel.call.SignalCall;
import io.jrun.runtime.mount.RootPropagation;
import io.jrun.specs.json.Json;
import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.Mount;
import io.jrun.specs.runtime.Namespace;
import io.jrun.specs.runtime.NamespaceType;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The sandbox that a container in the making joins. It is held so that it is not removed
/// meanwhile, and at the end asked whether its pause process still lives: then the paths under
/// /proc were its, and nobody's who got its pid.
final class JoinedSandbox implements AutoCloseable {
  private final Containers containers;
  private final Store store;
  private final Claim claim;
  private final StoredState state;
  private final Config config;

  private JoinedSandbox(
      Containers containers, Store store, Claim claim, StoredState state, Config config) {
    this.containers = containers;
    this.store = store;
    this.claim = claim;
    this.state = state;
    this.config = config;
  }

  /// The name that a config asks for; null where it asks for none.
  static @Nullable String asked(Config config) {
    return config.annotations().get(Annotations.SANDBOX);
  }

  /// Holds a sandbox that runs.
  static JoinedSandbox hold(Containers containers, Store store, String name) {
    ContainerId.check(name);
    Claim claim =
        store
            .claimShared(name, Deletion.END_MILLIS)
            .orElseThrow(() -> new ContainerException("sandbox " + name + " does not exist"));
    try {
      Store.Stored stored =
          store
              .find(name)
              .orElseThrow(() -> new ContainerException("sandbox " + name + " does not exist"));
      if (!stored.state().pauses()) throw new ContainerException(name + " is not a sandbox");
      if (!stored.started() || !containers.init(stored.state()).alive())
        throw new ContainerException("sandbox " + name + " is not running");
      return new JoinedSandbox(
          containers, store, claim, stored.state(), containers.configs.of(stored));
    } catch (RuntimeException e) {
      claim.close();
      throw e;
    }
  }

  boolean shares(NamespaceType type) {
    return type != NamespaceType.MOUNT && config.linux().namespace(type) != null;
  }

  List<String> addresses() {
    return state.addresses();
  }

  /// The directory with the files that name hosts.
  Path directory() {
    return store.directory(state.id());
  }

  private String path(NamespaceType type) {
    return "/proc/" + state.initPid() + "/ns/" + NamespacePlan.procName(type);
  }

  /// Whether it has a name of a host to tell, its own or, in the host's UTS namespace, the host's.
  boolean isNamed() {
    return shares(NamespaceType.UTS) || directory().resolve("hostname").toFile().length() > 0;
  }

  /// Whether a config says itself which namespaces are the sandbox's, by their paths, as CRI's do.
  private boolean chooses(Config container) {
    return container.linux().namespaces().stream().anyMatch(n -> path(n.type()).equals(n.path()));
  }

  /// The container's config, joining what the sandbox shares. Names of the host are the sandbox's,
  /// and so is a tmpfs for shared memory.
  Config join(Config container) {
    if (chooses(container)) {
      Namespace ipc = container.linux().namespace(NamespaceType.IPC);
      boolean isShared = ipc != null && path(NamespaceType.IPC).equals(ipc.path());
      return isShared && shares(NamespaceType.IPC)
          ? container.withMounts(withSharedMemory(container.mounts()))
          : container;
    }
    if (shares(NamespaceType.NETWORK) && Networking.isWanted(container)) {
      throw new ContainerException(
          "a container of sandbox " + state.id() + " has the networks of its sandbox");
    }
    List<Namespace> namespaces = new ArrayList<>();
    for (Namespace namespace : container.linux().namespaces()) {
      if (!shares(namespace.type())) {
        namespaces.add(namespace);
      } else if (namespace.path() != null) {
        throw new ContainerException(
            "/linux/namespaces: the "
                + namespace.type().text()
                + " namespace is that of sandbox "
                + state.id()
                + ", not "
                + namespace.path());
      }
    }
    for (Namespace shared : config.linux().namespaces()) {
      if (shares(shared.type()))
        namespaces.add(Namespace.joined(shared.type(), path(shared.type())));
    }
    Config joined = container.withLinux(container.linux().withNamespaces(namespaces));
    if (shares(NamespaceType.IPC)) joined = joined.withMounts(withSharedMemory(joined.mounts()));
    return shares(NamespaceType.UTS) ? joined.withHostname(null).withDomainname(null) : joined;
  }

  private String sharedMemory() {
    return "/proc/" + state.initPid() + "/root" + PauseConfig.SHARED_MEMORY;
  }

  private List<Mount> withSharedMemory(List<Mount> mounts) {
    List<Mount> changed = new ArrayList<>();
    for (Mount mount : mounts) {
      boolean isShm =
          "tmpfs".equals(mount.type())
              && mount.destination().replaceAll("/+$", "").equals(PauseConfig.SHARED_MEMORY);
      changed.add(isShm ? bind() : mount);
    }
    return changed;
  }

  private Mount bind() {
    return new Mount(
        PauseConfig.SHARED_MEMORY,
        "bind",
        sharedMemory(),
        List.of("bind", "nosuid", "noexec", "nodev"),
        List.of(),
        List.of(),
        Json.JsonObject.EMPTY);
  }

  /// Opens the shared memory for init, which cannot: only a process of the pause process's mount
  /// namespace may clone a mount of that (open_tree(2)), so one goes there for it.
  void open(Config joined, ClientProcess client, MountTrees trees) {
    for (int i = 0; i < joined.mounts().size(); i++) {
      if (sharedMemory().equals(joined.mounts().get(i).source())) {
        MountTrees.Source source = new MountTrees.Source(i, PauseConfig.SHARED_MEMORY, false);
        open(client, trees, source, RootPropagation.of(joined.linux().rootfsPropagation()));
      }
    }
  }

  private void open(
      ClientProcess client,
      MountTrees trees,
      MountTrees.Source source,
      RootPropagation propagation) {
    Kernel kernel = containers.kernel;
    Child visitor = Child.clone(kernel, client.helper, new Batch(), 0);
    try (visitor) {
      Batch batch = new Batch();
      batch.add(new PseudoCall.ResetSignals());
      Descriptor namespace =
          batch
              .add(FileCall.Openat.existing(path(NamespaceType.MOUNT), FileCall.O_RDONLY))
              .descriptor();
      batch.add(new NamespaceCall.Setns(namespace, NamespaceCall.CLONE_NEWNS));
      visitor.helper().run(batch);
      trees.open(visitor.helper(), List.of(source), propagation);
    } finally {
      end(client, visitor);
    }
  }

  private static void end(ClientProcess client, Child visitor) {
    try {
      client.helper.call(new SignalCall.Kill(visitor.pid(), SignalCall.SIGKILL));
      client.helper.call(new ProcessCall.Wait4(visitor.pid(), 0));
    } catch (HelperGoneException e) {
      // the client has ended, and its child ends when the socket closes
    }
  }

  /// Fails where the sandbox has ended since it was held.
  void check() {
    if (!containers.init(state).alive())
      throw new ContainerException("sandbox " + state.id() + " ended while it was joined");
  }

  @Override
  public void close() {
    claim.close();
  }
}

package io.jrun.runtime.container;

import io.jrun.cni.container.Networks;
import io.jrun.cni.container.PublishedPort;
import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.Namespace;
import io.jrun.specs.runtime.NamespaceType;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// The CNI networks of one container, as [Annotations] ask for them.
///
/// @param asked what it is to be attached to; null for nothing
record Networking(
    Containers containers,
    ClientProcess client,
    Store store,
    String id,
    StoredState.@Nullable Networks asked) {
  private static final String PLUGINS = "/opt/cni/bin:/usr/lib/cni";
  private static final String CONFIGS = "/etc/cni/net.d";

  /// Of a container whose state is written.
  Networking(Containers containers, ClientProcess client, Store store, StoredState state) {
    this(containers, client, store, state.id(), state.networks());
  }

  static boolean isWanted(Config config) {
    return config.annotations().containsKey(Annotations.NETWORK)
        || config.annotations().containsKey(Annotations.PUBLISH);
  }

  /// Refuses networks that cannot be attached, before anything is made.
  static void check(Config config) {
    if (!isWanted(config)) return;
    Namespace network = config.linux().namespace(NamespaceType.NETWORK);
    if (network == null || network.path() != null) {
      throw new ContainerException("a network needs a new network namespace in /linux/namespaces");
    }
    if (!config.annotations().containsKey(Annotations.NETWORK)) {
      throw new ContainerException("a published port needs a network");
    }
    if (values(config, Annotations.NETWORK).contains("")) {
      throw new ContainerException("the name of a network must not be empty");
    }
    ports(config);
  }

  private static List<String> values(Config config, String annotation) {
    @Nullable String text = config.annotations().get(annotation);
    return text == null
        ? List.of()
        : Arrays.stream(text.split(",", -1)).map(String::strip).toList();
  }

  private static List<PublishedPort> ports(Config config) {
    return PublishedPort.parseAll(values(config, Annotations.PUBLISH));
  }

  /// What a container is to be attached to, and where the client has that; null for nothing.
  static StoredState.@Nullable Networks asked(Config config, ClientProcess client) {
    if (!isWanted(config)) return null;
    return new StoredState.Networks(
        values(config, Annotations.NETWORK),
        client.absolute(client.variable("NETCONFPATH").orElse(CONFIGS)),
        directories(client, client.variable("CNI_PATH").orElse(PLUGINS)));
  }

  private static List<String> directories(ClientProcess client, String path) {
    return Arrays.stream(path.split(":"))
        .filter(directory -> !directory.isEmpty())
        .map(client::absolute)
        .toList();
  }

  /// Begins to attach the container, which has no more than its directory yet.
  Networks.Attaching begin(Config config) {
    new PortClaims(containers.kernel, store).take(id, values(config, Annotations.PUBLISH));
    return containers
        .networks()
        .begin(
            client.helper,
            client.env(),
            networkId(),
            store.directory(id).toString(),
            wish(ports(config)).identifiedBy(config.annotations()));
  }

  /// The network namespace of init, which has its namespaces by now.
  static String netns(int initPid) {
    return "/proc/" + initPid + "/ns/net";
  }

  private Networks.Wish wish(List<PublishedPort> ports) {
    StoredState.Networks networks = Objects.requireNonNull(asked);
    return new Networks.Wish(networks.names(), ports, Path.of(networks.configs()), plugins());
  }

  /// Keeps the namespace until the container is detached, where plugins will look into it.
  void keep(Networks.Attaching attaching, int initPid) {
    if (attaching.hasOthers()) kept().keep(client.helper, netns(initPid));
  }

  private KeptNetwork kept() {
    return KeptNetwork.in(store.directory(id));
  }

  /// Detaches it from its networks; nothing to do where it has none.
  void detach() {
    detaching(netns ->
        containers.networks().detach(client.helper, client.env(), networkId(), plugins(), netns));
  }

  /// Detaches a container whose attaching may have been interrupted.
  void detachHalfMade() {
    if (asked == null) return;
    Networks.Wish wish = wish(List.of());
    detaching(netns ->
        containers.networks().detachAny(client.helper, client.env(), networkId(), wish, netns));
  }

  /// Detaches it from attachments that are known already.
  void detach(Networks.Known known) {
    detaching(netns ->
        containers.networks().detach(client.helper, client.env(), known, plugins(), netns));
  }

  /// With the namespace, as far as it is kept; what fails finds it again.
  private void detaching(Consumer<String> detach) {
    String netns = kept().path(client.helper);
    detach.accept(netns);
    if (!netns.isEmpty()) kept().release(client.helper);
  }

  /// Begins to detach it as soon as its init has ended, and with it all of its processes.
  void detachAtEnd(Networks.Known known, int initPid) {
    containers.networks().detachAtEnd(known, initPid);
  }

  /// Where the client says; else where they were when the container was made.
  private List<String> plugins() {
    String given = client.variable("CNI_PATH").orElse("");
    if (!given.isEmpty() || asked == null)
      return directories(client, given.isEmpty() ? PLUGINS : given);
    return asked.plugins();
  }

  /// Ids are unique in one state directory, and networks are the machine's.
  private String networkId() {
    return id.replace('+', '_') + "." + Integer.toHexString(store.root().toString().hashCode());
  }
}

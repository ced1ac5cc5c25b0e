package io.jrun.runtime.container;

import io.jrun.cni.container.ContainerNetworks;
import io.jrun.cni.container.PublishedPort;
import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.Namespace;
import io.jrun.specs.runtime.NamespaceType;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The CNI networks of one container, as [Annotations] ask for them.
record Networking(Containers containers, ClientProcess client, Store store, String id) {
  private static final String PLUGINS = "/opt/cni/bin:/usr/lib/cni";
  private static final String CONFIGS = "/etc/cni/net.d";

  static boolean isWanted(Config config) {
    return config.annotations().containsKey(Annotations.NETWORK)
        || config.annotations().containsKey(Annotations.PUBLISH);
  }

  /// Refuses what cannot be, before anything is made.
  static void check(Config config) {
    if (!isWanted(config)) return;
    Namespace network = config.linux().namespace(NamespaceType.NETWORK);
    if (network == null || network.path() != null) {
      throw new ContainerException("a network needs a new network namespace in /linux/namespaces");
    }
    if (values(config, Annotations.NETWORK).isEmpty()) {
      throw new ContainerException("a published port needs a network");
    }
    ports(config);
  }

  private static List<String> values(Config config, String annotation) {
    @Nullable String text = config.annotations().get(annotation);
    return text == null || text.isBlank()
        ? List.of()
        : Arrays.stream(text.split(",")).map(String::strip).toList();
  }

  private static List<PublishedPort> ports(Config config) {
    return values(config, Annotations.PUBLISH).stream().map(PublishedPort::parse).toList();
  }

  /// Wires the container, whose init has its namespaces by now; returns its interfaces.
  List<ContainerNetworks.Attached> attach(Config config, int initPid) {
    return containers
        .networks()
        .attach(
            client.helper,
            client.env(),
            networkId(),
            "/proc/" + initPid + "/ns/net",
            new ContainerNetworks.Wish(
                values(config, Annotations.NETWORK),
                ports(config),
                Path.of(client.absolute(client.variable("NETCONFPATH").orElse(CONFIGS))),
                plugins()));
  }

  /// Unwires it; what was not wired is as it should be.
  void detach() {
    containers.networks().detach(client.helper, client.env(), networkId(), plugins());
  }

  /// What [#detach] will need, read ahead.
  ContainerNetworks.Known known() {
    return containers.networks().known(networkId());
  }

  /// Unwires what was known before.
  void detach(ContainerNetworks.Known known) {
    containers.networks().detach(client.helper, client.env(), known, plugins());
  }

  private List<String> plugins() {
    return Arrays.stream(client.variable("CNI_PATH").orElse(PLUGINS).split(":"))
        .filter(directory -> !directory.isEmpty())
        .map(client::absolute)
        .toList();
  }

  /// Ids are unique in one state directory, and networks are the machine's.
  private String networkId() {
    return id.replace('+', '_') + "." + Integer.toHexString(store.root().toString().hashCode());
  }
}

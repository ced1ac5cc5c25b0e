package io.jrun.runtime.container;

import io.jrun.cni.container.ContainerNetworks;
import io.jrun.cni.container.PublishedPort;
import io.jrun.runtime.cli.CreateOptions;
import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.Namespace;
import io.jrun.specs.runtime.NamespaceType;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The CNI networks of one container. What the command line asks becomes annotations of the config
/// that is kept, so every later command finds it there, as it finds what a caller wrote itself.
record Networking(Containers containers, ClientProcess client, Store store, String id) {
  /// Names of networks between commas; the first is eth0.
  static final String NETWORK = "io.jrun.network";

  /// Ports between commas, each `[hostip:]hostport:port[/protocol]`.
  static final String PUBLISH = "io.jrun.publish";

  private static final String PLUGINS = "/opt/cni/bin:/usr/lib/cni";
  private static final String CONFIGS = "/etc/cni/net.d";

  /// The config with what the command line adds to it.
  static byte[] annotated(byte[] config, CreateOptions options) {
    if (options.networks().isEmpty() && options.ports().isEmpty()) return config;
    Json.JsonObject json = JsonReader.read("config.json", config, JsonReader::object);
    Json.JsonObject annotations =
        json.member("annotations") instanceof Json.JsonObject given ? given : Json.JsonObject.EMPTY;
    if (!options.networks().isEmpty()) {
      annotations = annotations.with(NETWORK, Json.of(String.join(",", options.networks())));
    }
    if (!options.ports().isEmpty()) {
      annotations = annotations.with(PUBLISH, Json.of(String.join(",", options.ports())));
    }
    return json.with("annotations", annotations).toText().getBytes(StandardCharsets.UTF_8);
  }

  static boolean isWanted(Config config) {
    return config.annotations().containsKey(NETWORK) || config.annotations().containsKey(PUBLISH);
  }

  /// Refuses what cannot be, before anything is made.
  static void check(Config config) {
    if (!isWanted(config)) return;
    Namespace network = config.linux().namespace(NamespaceType.NETWORK);
    if (network == null || network.path() != null) {
      throw new ContainerException("a network needs a new network namespace in /linux/namespaces");
    }
    if (values(config, NETWORK).isEmpty()) {
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
    return values(config, PUBLISH).stream().map(PublishedPort::parse).toList();
  }

  /// Wires the container, whose init has its namespaces by now.
  void attach(Config config, int initPid) {
    containers
        .networks()
        .attach(
            client.helper,
            client.env(),
            networkId(),
            "/proc/" + initPid + "/ns/net",
            new ContainerNetworks.Wish(
                    values(config, NETWORK),
                    ports(config),
                    Path.of(client.absolute(client.variable("NETCONFPATH").orElse(CONFIGS))),
                    plugins())
                .identifiedBy(config.annotations()));
  }

  /// Unwires it; what was not wired is as it should be.
  void detach() {
    containers.networks().detach(client.helper, client.env(), networkId(), plugins());
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

package io.jrun.runtime.cli;

import io.jrun.specs.runtime.NamespaceType;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The options of `jrun sandbox run`.
///
/// @param networks CNI networks to attach the sandbox to, several between commas; the first is eth0
/// @param ports to publish, each `[hostip:]hostport:port[/protocol]`, several between commas
/// @param hostname null for the sandbox's name
/// @param shared the kinds of namespaces that its containers share
/// @param shmSize of /dev/shm: bytes, or with a suffix k, m or g
public record SandboxOptions(
    GlobalOptions global,
    String name,
    List<String> networks,
    List<String> ports,
    @Nullable String hostname,
    Map<String, String> sysctls,
    List<NamespaceType> shared,
    String shmSize,
    Metadata metadata) {
  public SandboxOptions {
    networks = List.copyOf(networks);
    ports = List.copyOf(ports);
    sysctls = Collections.unmodifiableMap(new LinkedHashMap<>(sysctls));
    shared = List.copyOf(shared);
  }

  /// As the making of a container takes them.
  public CreateOptions create() {
    return new CreateOptions(global, name, "", null, null, null, false, false, 0)
        .with(new Additions(networks, ports, null, metadata, true), null);
  }
}

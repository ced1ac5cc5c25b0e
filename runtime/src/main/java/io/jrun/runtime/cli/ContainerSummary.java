package io.jrun.runtime.cli;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A container as `jrun list` shows it.
///
/// @param pid of its init in the caller's pid namespace; 0 when it is stopped
/// @param created RFC 3339 with nanoseconds
/// @param owner the name of the user that owns its state
/// @param addresses of its networks, each with a prefix
public record ContainerSummary(
    String ociVersion,
    String id,
    int pid,
    String status,
    String bundle,
    String rootfs,
    String created,
    Map<String, String> annotations,
    String owner,
    List<String> addresses) {
  public ContainerSummary {
    addresses = List.copyOf(addresses);
    annotations = Collections.unmodifiableMap(new LinkedHashMap<>(annotations));
  }
}

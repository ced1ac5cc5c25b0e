package io.jrun.specs.runtime;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonWriter;
import java.time.Instant;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// What `state` and `list` print: the state with runc's additions; pid is 0 when stopped.
///
/// @param addresses of its networks, each with a prefix; jrun's own addition, absent without any
public record ContainerStateView(
    String ociVersion,
    String id,
    int pid,
    Status status,
    String bundle,
    String rootfs,
    Instant created,
    Map<String, String> annotations,
    String owner,
    List<String> addresses) {
  public ContainerStateView {
    addresses = List.copyOf(addresses);
    annotations = Collections.unmodifiableMap(new LinkedHashMap<>(annotations));
  }

  public Json.JsonObject toJson() {
    return new JsonWriter(Json.JsonObject.EMPTY)
        .string("ociVersion", ociVersion)
        .string("id", id)
        .member("pid", Json.of(pid))
        .string("status", status.text())
        .string("bundle", bundle)
        .string("rootfs", rootfs)
        .string("created", Rfc3339.format(created))
        .stringMap("annotations", annotations)
        .string("owner", owner)
        .strings("addresses", addresses)
        .object();
  }
}

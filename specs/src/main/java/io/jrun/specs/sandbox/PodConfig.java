package io.jrun.specs.sandbox;

import io.jrun.specs.proto.ProtoMessage;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// `runtime.v1.PodSandboxConfig`, as far as it is about the sandbox itself.
///
/// @param hostname empty for the host's
/// @param dns null for the host's
/// @param cgroupParent empty for none
public record PodConfig(
    String hostname,
    @Nullable Dns dns,
    String cgroupParent,
    Map<String, String> sysctls,
    PodSecurity security) {
  public static final String TYPE = "runtime.v1.PodSandboxConfig";

  public PodConfig {
    sysctls = Collections.unmodifiableMap(new LinkedHashMap<>(sysctls));
  }

  public static PodConfig read(byte[] bytes) {
    ProtoMessage m = ProtoMessage.parse(bytes);
    ProtoMessage linux = m.message(8);
    return new PodConfig(
        m.string(2),
        m.has(4) ? Dns.read(m.message(4)) : null,
        linux.string(1),
        linux.stringMap(3),
        PodSecurity.read(linux.message(2)));
  }
}

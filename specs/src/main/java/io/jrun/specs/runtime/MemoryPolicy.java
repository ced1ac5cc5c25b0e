package io.jrun.specs.runtime;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.JsonWriter;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// What set_mempolicy(2) is asked for: an `MPOL_` mode, a list of nodes, `MPOL_F_` flags.
///
/// @param mode empty where it is missing, which no rule lets pass
public record MemoryPolicy(
    String mode, @Nullable String nodes, List<String> flags, Json.JsonObject unknown) {
  /// In the order of the kernel's numbers, from 0.
  public static final List<String> MODES =
      List.of(
          "MPOL_DEFAULT",
          "MPOL_PREFERRED",
          "MPOL_BIND",
          "MPOL_INTERLEAVE",
          "MPOL_LOCAL",
          "MPOL_PREFERRED_MANY",
          "MPOL_WEIGHTED_INTERLEAVE");

  /// In the order of the kernel's bits.
  public static final List<String> FLAGS =
      List.of("MPOL_F_NUMA_BALANCING", "MPOL_F_RELATIVE_NODES", "MPOL_F_STATIC_NODES");

  public MemoryPolicy {
    flags = List.copyOf(flags);
  }

  static MemoryPolicy read(JsonReader r) {
    return new MemoryPolicy(
        Objects.requireNonNullElse(r.optionalString("mode"), ""),
        r.optionalString("nodes"),
        r.strings("flags"),
        r.unknown());
  }

  public Json.JsonObject toJson() {
    return new JsonWriter(unknown)
        .string("mode", mode)
        .string("nodes", nodes)
        .strings("flags", flags)
        .object();
  }
}

package io.jrun.specs.cni;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// One plugin of a network, with all its members as they were written.
///
/// @param capabilities those that the plugin wants arguments of
/// @param ipamType the plugin that it delegates addresses to; null for none
public record PluginConfig(
    String type, Set<String> capabilities, @Nullable String ipamType, Json.JsonObject json) {
  public PluginConfig {
    capabilities = java.util.Collections.unmodifiableSet(new TreeSet<>(capabilities));
  }

  public static PluginConfig read(String document, Json.JsonObject json) {
    return JsonReader.read(document, json, r -> read(r, json));
  }

  static PluginConfig read(JsonReader r, Json.JsonObject json) {
    Set<String> capabilities = new LinkedHashSet<>();
    String type = r.string("type");
    if (json.member("capabilities") instanceof Json.JsonObject given) {
      given
          .members()
          .forEach((name, value) -> {
            if (value instanceof Json.JsonBool(boolean wanted)) {
              if (wanted) capabilities.add(name);
            } else {
              r.problem("capabilities", "must be true or false: " + name);
            }
          });
    }
    String ipam = r.object("ipam", ipamReader -> ipamReader.optionalString("type"));
    return new PluginConfig(type, capabilities, ipam, json);
  }
}

package io.jrun.specs.cni;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A network: its plugins in the order of ADD.
///
/// @param version what the plugins are called with: the highest version named that is known
/// @param loadOnlyInlinedPlugins whether plugins from `DIR/NAME/*.conf` are not added
/// @param source the list as text, which the result cache keeps
public record NetworkConfig(
    String name,
    CniVersion version,
    boolean disableCheck,
    boolean disableGc,
    boolean loadOnlyInlinedPlugins,
    List<PluginConfig> plugins,
    String source) {
  public NetworkConfig {
    plugins = List.copyOf(plugins);
  }

  /// Reads a list (`.conflist`).
  public static NetworkConfig readList(String document, byte[] json) {
    String source = new String(json, StandardCharsets.UTF_8);
    return JsonReader.read(document, json, r -> read(r, source));
  }

  /// Reads a single plugin's configuration (`.conf`, `.json`) as a list of one.
  public static NetworkConfig readSingle(String document, byte[] json) {
    Json.JsonObject single = JsonReader.read(document, json, JsonReader::object);
    PluginConfig plugin = PluginConfig.read(document, single);
    LinkedHashMap<String, Json> list = new LinkedHashMap<>();
    for (String member : List.of("name", "cniVersion")) {
      Json value = single.member(member);
      if (value != null) list.put(member, value);
    }
    list.put("plugins", new Json.JsonArray(List.of(plugin.json())));
    Json.JsonObject object = new Json.JsonObject(list);
    return JsonReader.read(document, object, r -> read(r, object.toText()));
  }

  private static NetworkConfig read(JsonReader r, String source) {
    String name = r.string("name");
    if (r.object().member("name") instanceof Json.JsonString && !CniNames.isName(name)) {
      r.problem("name", "invalid network name \"" + name + "\"");
    }
    CniVersion version = version(r);
    boolean disableCheck = flag(r, "disableCheck");
    boolean disableGc = flag(r, "disableGC");
    boolean onlyInlined = flag(r, "loadOnlyInlinedPlugins");
    List<PluginConfig> plugins =
        r.objects("plugins", plugin -> PluginConfig.read(plugin, plugin.object()));
    if (onlyInlined && plugins.isEmpty()) {
      r.problem("plugins", "loadOnlyInlinedPlugins is true, and there are no plugins");
    }
    return new NetworkConfig(name, version, disableCheck, disableGc, onlyInlined, plugins, source);
  }

  private static CniVersion version(JsonReader r) {
    List<String> named = new ArrayList<>();
    String one = r.optionalString("cniVersion");
    if (one != null) named.add(one);
    named.addAll(r.strings("cniVersions"));
    if (named.isEmpty()) return CniVersion.V0_1_0;
    @Nullable CniVersion best = null;
    for (String text : named) {
      Optional<CniVersion> version = CniVersion.parse(text);
      if (version.isEmpty()) {
        r.problem("cniVersion", "invalid version \"" + text + "\"");
      } else if (version.get().isKnown() && (best == null || version.get().atLeast(best))) {
        best = version.get();
      }
    }
    if (best != null) return best;
    r.problem("cniVersion", "no known version among " + String.join(", ", named));
    return CniVersion.V0_1_0;
  }

  /// A boolean, which older writers gave as a string.
  private static boolean flag(JsonReader r, String name) {
    Json value = r.object().member(name);
    if (!(value instanceof Json.JsonString(String text))) return r.bool(name);
    if (!text.equals("true") && !text.equals("false")) {
      r.problem(name, "must be true or false, not \"" + text + "\"");
    }
    return text.equals("true");
  }

  public NetworkConfig with(List<PluginConfig> more) {
    List<PluginConfig> all = new ArrayList<>(plugins);
    all.addAll(more);
    return new NetworkConfig(
        name, version, disableCheck, disableGc, loadOnlyInlinedPlugins, all, source);
  }
}

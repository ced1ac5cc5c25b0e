package io.jrun.runtime.container;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.Json.JsonArray;
import io.jrun.specs.json.Json.JsonObject;
import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.NamespaceType;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// The config that is kept of a restored container. CRIU restores clocks in a time namespace, which
/// an exec'd process must join: so it says that there is one.
final class RestoredConfig {
  private RestoredConfig() {}

  /// @param text of the config, as it is known before
  static byte[] of(Config restored, byte[] text, int pid) {
    if (restored.linux().namespace(NamespaceType.TIME) != null) return text;
    try {
      Path own = Files.readSymbolicLink(Path.of("/proc/self/ns/time"));
      Path theirs = Files.readSymbolicLink(Path.of("/proc", Integer.toString(pid), "ns/time"));
      if (own.equals(theirs)) return text;
    } catch (IOException e) {
      return text; // a kernel without time namespaces
    }
    JsonObject config = (JsonObject) Json.parse(text);
    JsonObject linux =
        config.member("linux") instanceof JsonObject object ? object : JsonObject.EMPTY;
    List<Json> namespaces = new ArrayList<>();
    if (linux.member("namespaces") instanceof JsonArray array) namespaces.addAll(array.elements());
    namespaces.add(JsonObject.EMPTY.with("type", Json.of("time")));
    linux = linux.with("namespaces", new JsonArray(namespaces));
    return config.with("linux", linux).toText().getBytes(StandardCharsets.UTF_8);
  }
}

package io.jrun.cni.plugin;

import io.jrun.cni.CniException;
import io.jrun.specs.cni.CniError;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// Where plugins are found.
public final class PluginPath {
  private PluginPath() {}

  /// The first regular file of that name.
  public static Path find(String type, List<String> directories) {
    if (type.isEmpty() || type.contains("/")) {
      throw new CniException(CniError.INVALID_CONFIG, "invalid plugin name: \"" + type + "\"");
    }
    if (directories.isEmpty()) {
      throw new CniException(CniError.INVALID_ENVIRONMENT, "no paths provided");
    }
    for (String directory : directories) {
      Path candidate = Path.of(directory, type);
      if (!directory.isEmpty() && Files.isRegularFile(candidate)) return candidate;
    }
    throw new CniException(
        CniError.INTERNAL, "failed to find plugin \"" + type + "\" in path " + directories);
  }
}

package io.jrun.runtime.container;

import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.NamespaceType;
import java.util.ArrayList;
import java.util.List;

/// What a valid config may ask for and jrun does not do yet: refused by name, never ignored.
final class Unsupported {
  private Unsupported() {}

  static void check(Config config) {
    List<String> found = new ArrayList<>();
    if (config.linux().namespace(NamespaceType.MOUNT) == null) {
      // it would be the host's mounts that change
      if (!config.mounts().isEmpty()) found.add("/mounts without a mount namespace");
      if (config.root() != null && config.root().readonly())
        found.add("/root/readonly without a mount namespace");
    }
    if (!found.isEmpty())
      throw new ContainerException("not implemented yet: " + String.join("; ", found));
  }
}

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
    // init would have no right over the mounts of the host, not even to bind devices
    if (config.linux().namespace(NamespaceType.USER) != null
        && config.linux().namespace(NamespaceType.MOUNT) == null)
      found.add("a user namespace without a mount namespace");
    if (!found.isEmpty())
      throw new ContainerException("not implemented yet: " + String.join("; ", found));
  }
}

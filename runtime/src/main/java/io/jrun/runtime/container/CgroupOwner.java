package io.jrun.runtime.container;

import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.IdMapping;
import io.jrun.specs.runtime.Mount;
import io.jrun.specs.runtime.Namespace;
import io.jrun.specs.runtime.NamespaceType;
import io.jrun.specs.runtime.Process;
import java.util.OptionalInt;

/// Who owns a container's v2 cgroup (config-linux.md, "Cgroup ownership"): the user that its
/// process is on the host, where the container has a cgroup namespace of its own and mounts it
/// writable.
final class CgroupOwner {
  private CgroupOwner() {}

  /// The host's uid; empty where the cgroup stays with the caller.
  static OptionalInt of(Config config) {
    Namespace namespace = config.linux().namespace(NamespaceType.CGROUP);
    Process process = config.process();
    boolean own = namespace != null && namespace.path() == null;
    if (!own || process == null || config.mounts().stream().noneMatch(CgroupOwner::isWritable))
      return OptionalInt.empty();
    long uid = process.user().uid();
    if (config.linux().namespace(NamespaceType.USER) == null) return OptionalInt.of((int) uid);
    for (IdMapping mapping : config.linux().uidMappings()) {
      long offset = uid - mapping.containerId();
      if (offset >= 0 && offset < mapping.size())
        return OptionalInt.of((int) (mapping.hostId() + offset));
    }
    return OptionalInt.empty(); // the namespace is joined, or does not map the user
  }

  private static boolean isWritable(Mount mount) {
    return "cgroup".equals(mount.type())
        && mount.destination().equals("/sys/fs/cgroup")
        && !mount.options().contains("ro");
  }
}

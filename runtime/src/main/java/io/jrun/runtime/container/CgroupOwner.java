package io.jrun.runtime.container;

import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.IdMapping;
import io.jrun.specs.runtime.Mount;
import io.jrun.specs.runtime.Namespace;
import io.jrun.specs.runtime.NamespaceType;
import io.jrun.specs.runtime.Process;
import java.util.Optional;

/// Who gets a container's v2 cgroup ("Cgroup ownership" of the specification): the user that its
/// process is on the host, where the container has a cgroup namespace of its own and may write.
final class CgroupOwner {
  private CgroupOwner() {}

  /// The host's uid; empty where the cgroup stays with the caller.
  static Optional<Long> of(Config config) {
    Namespace namespace = config.linux().namespace(NamespaceType.CGROUP);
    Process process = config.process();
    boolean own = namespace != null && namespace.path() == null;
    if (!own || process == null || config.mounts().stream().noneMatch(CgroupOwner::isWritable))
      return Optional.empty();
    long uid = process.user().uid();
    if (config.linux().namespace(NamespaceType.USER) == null) return Optional.of(uid);
    for (IdMapping mapping : config.linux().uidMappings()) {
      long offset = uid - mapping.containerId();
      if (offset >= 0 && offset < mapping.size()) return Optional.of(mapping.hostId() + offset);
    }
    return Optional.empty(); // of a namespace that is joined, or no user of this container's
  }

  private static boolean isWritable(Mount mount) {
    return "cgroup".equals(mount.source())
        && mount.destination().equals("/sys/fs/cgroup")
        && !mount.options().contains("ro");
  }
}

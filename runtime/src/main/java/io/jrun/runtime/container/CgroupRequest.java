package io.jrun.runtime.container;

import io.jrun.runtime.cgroup.Making;
import io.jrun.runtime.cli.GlobalOptions;
import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.IdMapping;
import io.jrun.specs.runtime.Namespace;
import io.jrun.specs.runtime.NamespaceType;
import io.jrun.specs.runtime.Process;
import java.util.OptionalInt;

/// The cgroup that a config and its caller ask for: directories, or a scope of systemd.
final class CgroupRequest {
  private CgroupRequest() {}

  static Making plan(
      Containers containers, ClientProcess client, GlobalOptions global, String id, Bundle bundle) {
    Making making = make(containers, client, global, id, bundle);
    if (containers.cgroups.hierarchies().unified() && !containers.isUnprivileged())
      owner(bundle.config()).ifPresent(making::giveTo);
    return making;
  }

  /// The user of the host who is the program's, where the container sees its cgroup writable from a
  /// cgroup namespace of its own (config-linux.md, "Cgroup ownership").
  static OptionalInt owner(Config config) {
    Process process = config.process();
    Namespace namespace = config.linux().namespace(NamespaceType.CGROUP);
    boolean isOwn = namespace != null && namespace.path() == null;
    boolean isWritable =
        config.mounts().stream()
            .anyMatch(m ->
                "cgroup".equals(m.type())
                    && m.destination().equals("/sys/fs/cgroup")
                    && !m.options().contains("ro"));
    if (process == null || !isOwn || !isWritable) return OptionalInt.empty();
    long uid = process.user().uid();
    for (IdMapping mapping : config.linux().uidMappings()) {
      long at = uid - mapping.containerId();
      if (at >= 0 && at < mapping.size()) return OptionalInt.of((int) (mapping.hostId() + at));
    }
    return OptionalInt.empty();
  }

  private static Making make(
      Containers containers, ClientProcess client, GlobalOptions global, String id, Bundle bundle) {
    Config config = bundle.config();
    String given = config.linux().cgroupsPath();
    String cgroupsPath = given == null ? "" : given;
    boolean rootless = Rootless.is(global, containers.isUnprivileged());
    if (!global.systemdCgroup())
      return containers.cgroups.plan(
          cgroupsPath, id, bundle.ownCgroups(), config.linux().resources(), !rootless);
    return containers.cgroups.planScope(
        containers.systemd.find(rootless, client::variable),
        rootless,
        cgroupsPath,
        id,
        config.annotations(),
        config.linux().resources(),
        !rootless);
  }
}

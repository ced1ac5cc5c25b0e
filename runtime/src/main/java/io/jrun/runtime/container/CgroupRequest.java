package io.jrun.runtime.container;

import io.jrun.runtime.cgroup.Making;
import io.jrun.runtime.cli.GlobalOptions;
import io.jrun.specs.runtime.Config;

/// The cgroup that a config and its caller ask for: directories, or a scope of systemd.
final class CgroupRequest {
  private CgroupRequest() {}

  static Making plan(
      Containers containers, ClientProcess client, GlobalOptions global, String id, Bundle bundle) {
    Making making = make(containers, client, global, id, bundle);
    if (containers.cgroups.hierarchies().unified() && !containers.isUnprivileged())
      CgroupOwner.of(bundle.config()).ifPresent(making::giveTo);
    return making;
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

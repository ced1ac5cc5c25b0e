package io.jrun.runtime.cgroup;

import java.util.List;

/// One mounted cgroup hierarchy.
///
/// @param root the cgroup that is mounted at `mountPoint`: `/` but for bind mounts and containers
/// @param controllers v1 controllers, or `name=systemd` of one without; empty for v2
public record Hierarchy(String mountPoint, String root, List<String> controllers, boolean v2) {
  public Hierarchy {
    controllers = List.copyOf(controllers);
  }

  /// What this hierarchy is called in [Cgroup#paths]: its first controller or `name=…`; `""` for
  /// v2.
  public String key() {
    return v2 ? "" : controllers.getFirst();
  }

  /// What /proc/PID/cgroup calls the cgroup in that directory.
  String cgroupOf(String directory) {
    String below = CgroupPath.clean(directory.substring(mountPoint.length()));
    String top = CgroupPath.clean(root);
    return top.equals("/") ? below : below.equals("/") ? top : top + below;
  }

  /// Where the cgroup that /proc/PID/cgroup calls `cgroup` is; a cgroup outside of what is mounted
  /// is taken as the mount's top.
  String directoryOf(String cgroup) {
    String path = CgroupPath.clean(cgroup);
    String top = CgroupPath.clean(root);
    if (top.equals("/")) return CgroupPath.join(mountPoint, path);
    if (path.equals(top) || !path.startsWith(top + "/")) return mountPoint;
    return CgroupPath.join(mountPoint, path.substring(top.length()));
  }
}

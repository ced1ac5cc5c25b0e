package io.jrun.runtime.cgroup;

import io.jrun.runtime.mount.Mountinfo;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// The cgroup hierarchies of /proc/self/mountinfo. A hierarchy that is mounted several times counts
/// once. Where any is below /sys/fs/cgroup, those mounted elsewhere do not count: such a mount is
/// some tool's own and may be gone in a moment, as CRIU's is.
public final class Hierarchies {
  private static final String TOP = CgroupTop.PATH;

  /// Options of a v1 superblock that are not controllers (cgroup1_show_options in the kernel).
  private static final Set<String> OPTIONS =
      Set.of(
          "rw",
          "ro",
          "sync",
          "dirsync",
          "mand",
          "lazytime",
          "noprefix",
          "xattr",
          "cpuset_v2_mode",
          "favordynmods",
          "clone_children",
          "none",
          "seclabel");

  private final List<Hierarchy> all;
  private final int topMount;
  private final boolean unified;

  private Hierarchies(List<Hierarchy> all, int topMount) {
    this.all = List.copyOf(all);
    this.topMount = topMount;
    this.unified =
        v1().isEmpty() && this.all.stream().anyMatch(h -> h.v2() && h.mountPoint().equals(TOP));
  }

  public static Hierarchies parse(String mountinfo) {
    Map<String, Hierarchy> byKey = new LinkedHashMap<>();
    int topMount = 0;
    for (Mountinfo.Entry mount : Mountinfo.parse(mountinfo)) {
      if (mount.mountPoint().equals(TOP)) topMount = mount.id(); // the last lies on top
      boolean v2 = mount.type().equals("cgroup2");
      if (!v2 && !mount.type().equals("cgroup")) continue;
      List<String> controllers = v2 ? List.of() : controllers(mount.options());
      if (!v2 && controllers.isEmpty()) continue;
      Hierarchy hierarchy = new Hierarchy(mount.mountPoint(), mount.root(), controllers, v2);
      byKey.merge(hierarchy.key(), hierarchy, (old, now) -> atTop(old) || !atTop(now) ? old : now);
    }
    List<Hierarchy> found = List.copyOf(byKey.values());
    List<Hierarchy> top = found.stream().filter(Hierarchies::atTop).toList();
    return new Hierarchies(top.isEmpty() ? found : top, topMount);
  }

  /// All of them, in the order of mountinfo.
  public List<Hierarchy> list() {
    return all;
  }

  public List<Hierarchy> v1() {
    return all.stream().filter(h -> !h.v2()).toList();
  }

  public Optional<Hierarchy> v2() {
    return all.stream().filter(Hierarchy::v2).findFirst();
  }

  /// The id of what is mounted at /sys/fs/cgroup; 0 for nothing.
  int topMount() {
    return topMount;
  }

  /// Whether only cgroup2 is mounted, at /sys/fs/cgroup.
  public boolean unified() {
    return unified;
  }

  /// Those in which a container gets a directory: on a hybrid machine v2 too, which costs a mkdir
  /// and lets v2 tools find it.
  List<Hierarchy> used() {
    if (all.isEmpty()) throw new CgroupException("no cgroup hierarchy is mounted");
    return all;
  }

  /// The v1 hierarchy of a controller.
  public Optional<Hierarchy> of(String controller) {
    for (Hierarchy hierarchy : all)
      if (hierarchy.controllers().contains(controller)) return Optional.of(hierarchy);
    return Optional.empty();
  }

  private static boolean atTop(Hierarchy hierarchy) {
    return hierarchy.mountPoint().equals(TOP) || hierarchy.mountPoint().startsWith(TOP + "/");
  }

  private static List<String> controllers(String options) {
    List<String> controllers = new ArrayList<>();
    for (String option : options.split(",")) {
      if (option.startsWith("name=") || (option.indexOf('=') < 0 && !OPTIONS.contains(option)))
        controllers.add(option);
    }
    // A named hierarchy can have controllers too; the name comes last in mountinfo, and then it is
    // not the key.
    return controllers;
  }
}

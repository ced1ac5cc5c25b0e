package io.jrun.runtime.mount;

import io.jrun.kernel.Batch;
import io.jrun.kernel.call.Descriptor;
import io.jrun.specs.runtime.Mount;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// New file systems that are read-only, and in which something of the config is made: they become
/// read-only when that is there. The specification says nothing of it; it is so with runc and crun.
public final class FilledMounts {
  private final Map<Integer, Mount> mounts = new LinkedHashMap<>();

  /// @param paths that are made besides the mounts
  public FilledMounts(List<Mount> all, List<String> paths) {
    for (int i = 0; i < all.size(); i++) {
      Mount mount = all.get(i);
      if (!isReadonlyTmpfs(mount)) continue;
      List<String> place = InRoot.components(mount.destination());
      List<List<String>> later =
          all.subList(i + 1, all.size()).stream()
              .map(other -> InRoot.components(other.destination()))
              .toList();
      boolean isCovered = later.stream().anyMatch(other -> begins(place, other));
      if (!isCovered && hasBelow(place, later, paths)) mounts.put(i, mount);
    }
  }

  private static boolean isReadonlyTmpfs(Mount mount) {
    if (!"tmpfs".equals(mount.type()) || MountPlan.isDev(mount)) return false;
    MountOptions options = MountOptions.parse("tmpfs", mount.options());
    return !options.bind() && options.superblock().contains("ro");
  }

  private static boolean hasBelow(
      List<String> place, List<List<String>> later, List<String> paths) {
    List<List<String>> all = new ArrayList<>(later);
    paths.forEach(path -> all.add(InRoot.components(path)));
    return all.stream().anyMatch(path -> begins(path, place) && path.size() > place.size());
  }

  private static boolean begins(List<String> path, List<String> place) {
    return path.size() >= place.size() && path.subList(0, place.size()).equals(place);
  }

  /// A mount as it is made first.
  ///
  /// @param index of the mount in the config
  public Mount first(int index, Mount mount) {
    if (!mounts.containsKey(index)) return mount;
    return mount.withOptions(mount.options().stream().filter(o -> !o.equals("ro")).toList());
  }

  /// Makes them read-only, but nothing that is mounted in them.
  public void addReadonly(Batch batch, Descriptor root) {
    for (Mount mount : mounts.values())
      batch.during(
          MountPlan.step(mount),
          () -> RootFileSystem.readonlyMount(batch, root, mount.destination()));
  }
}

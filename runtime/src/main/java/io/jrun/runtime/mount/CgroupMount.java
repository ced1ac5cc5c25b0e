package io.jrun.runtime.mount;

import static io.jrun.kernel.call.FileCall.*;
import static io.jrun.kernel.call.MountCall.*;

import io.jrun.kernel.Batch;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.MountCall;
import io.jrun.specs.runtime.Mount;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A mount of type cgroup: cgroup2 as it is, which is where `/proc/self/cgroup` leads; v1 as a
/// tmpfs with a directory per hierarchy, where the container's own is bound: to who is in it, that
/// looks as a mount from within.
///
/// @param namespace whose cgroup namespace the container is in
/// @param userNamespace whether the container is in one: there only a cgroup namespace that belongs
///   to it can be mounted, and the container's own cgroup is bound in place of the caller's
/// @param views the hierarchies to show
public record CgroupMount(
    boolean unified, Namespace namespace, boolean userNamespace, List<View> views) {
  public CgroupMount {
    views = List.copyOf(views);
  }

  /// The container's own cgroup namespace has its cgroup as its root.
  public enum Namespace {
    OWN,
    JOINED,
    CALLERS
  }

  /// One hierarchy to show.
  ///
  /// @param options of the filesystem: controllers, or `name=…`
  /// @param own the directory of the container itself
  public record View(String name, List<String> options, String own) {}

  /// @param root, label as [MountPlan] takes them
  public void add(Batch batch, Descriptor root, @Nullable String label, Mount mount) {
    if (unified) new MountPlan(batch, root, label).mount(cgroup2(mount), true);
    else batch.during(MountPlan.step(mount), () -> addV1(batch, root, label, mount));
  }

  private Mount cgroup2(Mount mount) {
    boolean bound = namespace == Namespace.CALLERS && userNamespace;
    return new Mount(
        mount.destination(),
        bound ? "bind" : "cgroup2",
        bound ? views.getFirst().own() : "cgroup",
        mount.options(),
        List.of(),
        List.of(),
        mount.unknown());
  }

  private void addV1(Batch batch, Descriptor root, @Nullable String label, Mount mount) {
    DetachedMounts mounts = new DetachedMounts(batch, label);
    MountOptions none =
        MountOptions.parse("tmpfs", List.of("mode=755", "nosuid", "nodev", "noexec"));
    Descriptor tmpfs = mounts.fresh("tmpfs", "tmpfs", none).descriptor();
    DetachedMounts.attach(
        batch, tmpfs, new InRoot(batch, root).straight().directory(mount.destination()));
    long attributes = MountOptions.parse("cgroup", mount.options()).attributes();
    for (View view : views) {
      Descriptor made = shown(batch, mounts, view, attributes);
      batch.add(new FileCall.Mkdirat(tmpfs, view.name(), 0755));
      Descriptor place =
          batch
              .add(
                  new FileCall.Openat(
                      tmpfs, view.name(), O_PATH | O_DIRECTORY | O_CLOEXEC, 0, false))
              .descriptor();
      DetachedMounts.attach(batch, made, place);
      batch.add(new FileCall.Close(made));
      if (view.name().contains(",")) {
        for (String controller : view.name().split(",")) {
          batch.add(new FileCall.Symlinkat(view.name(), tmpfs, controller), Errno.EEXIST);
        }
      }
    }
    if ((attributes & MOUNT_ATTR_RDONLY) != 0)
      DetachedMounts.setattr(batch, tmpfs, 0, MOUNT_ATTR_RDONLY, 0, 0);
    batch.add(new FileCall.Close(tmpfs));
  }

  private Descriptor shown(Batch batch, DetachedMounts mounts, View view, long attributes) {
    if (namespace == Namespace.JOINED) {
      MountOptions options =
          new MountOptions(
              false, false, attributes, 0, 0, 0, List.of(), List.of(), view.options(), false);
      return mounts.fresh("cgroup", "cgroup", options).descriptor();
    }
    Descriptor made =
        batch.add(new MountCall.OpenTree(Descriptor.CWD, view.own(), OPEN_TREE_CLONE)).descriptor();
    DetachedMounts.setattr(batch, made, 0, attributes, 0, 0);
    return made;
  }
}

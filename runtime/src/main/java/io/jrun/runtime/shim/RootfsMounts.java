package io.jrun.runtime.shim;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Pending;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.MountCall;
import io.jrun.kernel.call.Nothing;
import io.jrun.specs.task.RootfsMount;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// The mounts that make a container's root file system, which the shim is asked to make: options
/// are mount(2)'s flags by the names of mount(8), the rest is the file system's own.
final class RootfsMounts {
  private static final Map<String, Integer> SETS =
      Map.ofEntries(
          Map.entry("ro", MountCall.MS_RDONLY),
          Map.entry("nosuid", MountCall.MS_NOSUID),
          Map.entry("nodev", MountCall.MS_NODEV),
          Map.entry("noexec", MountCall.MS_NOEXEC),
          Map.entry("sync", MountCall.MS_SYNCHRONOUS),
          Map.entry("dirsync", MountCall.MS_DIRSYNC),
          Map.entry("remount", MountCall.MS_REMOUNT),
          Map.entry("mand", MountCall.MS_MANDLOCK),
          Map.entry("noatime", MountCall.MS_NOATIME),
          Map.entry("nodiratime", MountCall.MS_NODIRATIME),
          Map.entry("relatime", MountCall.MS_RELATIME),
          Map.entry("strictatime", MountCall.MS_STRICTATIME),
          Map.entry("bind", MountCall.MS_BIND),
          Map.entry("rbind", MountCall.MS_BIND | MountCall.MS_REC));
  private static final Map<String, Integer> CLEARS =
      Map.ofEntries(
          Map.entry("rw", MountCall.MS_RDONLY),
          Map.entry("suid", MountCall.MS_NOSUID),
          Map.entry("dev", MountCall.MS_NODEV),
          Map.entry("exec", MountCall.MS_NOEXEC),
          Map.entry("async", MountCall.MS_SYNCHRONOUS),
          Map.entry("nomand", MountCall.MS_MANDLOCK),
          Map.entry("atime", MountCall.MS_NOATIME),
          Map.entry("diratime", MountCall.MS_NODIRATIME),
          Map.entry("norelatime", MountCall.MS_RELATIME),
          Map.entry("nostrictatime", MountCall.MS_STRICTATIME),
          Map.entry("defaults", 0));
  private static final Map<String, Integer> PROPAGATION =
      Map.of(
          "private",
          MountCall.MS_PRIVATE,
          "rprivate",
          MountCall.MS_PRIVATE | MountCall.MS_REC,
          "slave",
          MountCall.MS_SLAVE,
          "rslave",
          MountCall.MS_SLAVE | MountCall.MS_REC,
          "shared",
          MountCall.MS_SHARED,
          "rshared",
          MountCall.MS_SHARED | MountCall.MS_REC,
          "unbindable",
          MountCall.MS_UNBINDABLE,
          "runbindable",
          MountCall.MS_UNBINDABLE | MountCall.MS_REC);
  private static final int MOST_LAYERS = 64;
  private static final String LOOP = "loop";

  private RootfsMounts() {}

  /// Mounts them over one another on `target`, which is made where it is missing.
  static void mount(HelperKernel worker, List<RootfsMount> mounts, String target) {
    if (mounts.isEmpty()) return;
    Batch batch = new Batch();
    batch.add(new FileCall.Mkdirat(Descriptor.CWD, target, 0711), Errno.EEXIST);
    for (RootfsMount mount : mounts) add(batch, mount, target);
    worker.run(batch);
  }

  private static void add(Batch batch, RootfsMount mount, String rootfs) {
    long flags = 0;
    List<Integer> propagation = new ArrayList<>();
    List<String> data = new ArrayList<>();
    for (String option : mount.options()) {
      if (option.equals(LOOP))
        throw RpcException.unknown("mount option loop: not implemented for root file systems");
      if (SETS.containsKey(option)) flags |= SETS.get(option);
      else if (CLEARS.containsKey(option)) flags &= ~(long) CLEARS.get(option);
      else if (PROPAGATION.containsKey(option)) propagation.add(PROPAGATION.get(option));
      else data.add(option);
    }
    String target = mount.target().isEmpty() ? rootfs : rootfs + "/" + mount.target();
    batch.add(
        new MountCall.Mount(mount.source(), target, mount.type(), flags, String.join(",", data)));
    long bindReadOnly = MountCall.MS_BIND | MountCall.MS_RDONLY;
    if ((flags & bindReadOnly) == bindReadOnly)
      batch.add(
          new MountCall.Mount(
              "", target, "", flags | MountCall.MS_REMOUNT, String.join(",", data)));
    for (int change : propagation) batch.add(new MountCall.Mount("none", target, "", change, ""));
  }

  /// Unmounts whatever is mounted on `target`, with what is below it; nothing where nothing is.
  static void unmount(HelperKernel worker, String target) {
    for (int i = 0; i < MOST_LAYERS; i++) {
      Batch batch = new Batch();
      Pending<Nothing> done =
          batch.add(
              new MountCall.Umount2(target, MountCall.MNT_DETACH | MountCall.UMOUNT_NOFOLLOW),
              Errno.EINVAL,
              Errno.ENOENT,
              Errno.ENOTDIR);
      if (!worker.run(batch).succeeded(done)) return;
    }
  }
}

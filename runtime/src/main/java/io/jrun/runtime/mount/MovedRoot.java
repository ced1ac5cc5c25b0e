package io.jrun.runtime.mount;

import static io.jrun.kernel.call.FileCall.*;
import static io.jrun.kernel.call.MountCall.*;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.MountCall;
import io.jrun.kernel.call.Nothing;
import io.jrun.kernel.call.ProcessCall;
import java.util.ArrayList;
import java.util.List;

/// The root exchanged without pivot_root(2), which the initial ramdisk's root does not allow: the
/// container's is moved over it. The old root stays below, so the host's procfs and sysfs are taken
/// away first: with a full one in reach the kernel would let the container mount another.
public final class MovedRoot {
  private MovedRoot() {}

  /// The mount points of whole procfs and sysfs mounts outside of the root file system.
  static List<String> hostPseudoFileSystems(List<Mountinfo.Entry> mounts, String rootfs) {
    return mounts.stream()
        .filter(mount -> mount.root().equals("/"))
        .filter(mount -> mount.type().equals("proc") || mount.type().equals("sysfs"))
        .map(Mountinfo.Entry::mountPoint)
        .filter(point -> !point.equals(rootfs) && !point.startsWith(rootfs + "/"))
        .toList();
  }

  /// Moves the root, in several steps.
  ///
  /// @param root the root file system's mount
  public static void move(HelperKernel init, Descriptor root, String rootfs) {
    List<String> covered = hostPseudoFileSystems(Mountinfo.read(init), rootfs);
    Batch batch = new Batch();
    List<Pending<Nothing>> unmounted = new ArrayList<>();
    for (String mountPoint : covered) {
      // ENOENT, EINVAL: an earlier one of the list had it on top and is gone with it
      batch.add(
          new MountCall.Mount("", mountPoint, "", MS_SLAVE | MS_REC, null),
          Errno.ENOENT,
          Errno.EINVAL);
      unmounted.add(
          batch.add(
              new MountCall.Umount2(mountPoint, MNT_DETACH),
              Errno.ENOENT,
              Errno.EINVAL,
              Errno.EPERM));
    }
    Results results = init.run(batch);
    Batch moving = new Batch();
    for (int i = 0; i < covered.size(); i++) {
      // a mount that came from another user namespace cannot be taken away, only hidden
      if (results.errno(unmounted.get(i)) != Errno.EPERM.value()) continue;
      moving.add(new MountCall.Mount("tmpfs", covered.get(i), "tmpfs", 0, null));
    }
    Descriptor old = moving.add(FileCall.Openat.existing("/", O_PATH | O_DIRECTORY)).descriptor();
    moving.add(new ProcessCall.Fchdir(root));
    moving.add(new MountCall.MoveMount(root, old));
    moving.add(new FileCall.Close(old));
    enter(moving);
    init.run(moving);
  }

  /// chroot(2) into the working directory.
  public static void enter(Batch batch) {
    batch.add(new ProcessCall.Chroot("."));
    batch.add(new ProcessCall.Chdir("/"));
  }
}

package io.jrun.runtime.mount;

import io.jrun.image.bundle.RootMount;
import io.jrun.kernel.Batch;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.MountCall;

/// A root that init mounts itself, after it has cut its mount namespace off from others: it needs
/// no right over the host's mounts, and no mount can be left behind.
public final class OverlayRoot {
  private OverlayRoot() {}

  /// @param rootfs the directory to mount it on
  /// @return its root directory
  public static Descriptor mount(Batch batch, RootMount root, String rootfs) {
    if (root.limit() > 0) limit(batch, root);
    // fsconfig(2) takes no string as long as the list of layers
    root.overlay().addMount(batch, rootfs, 0);
    int flags = FileCall.O_PATH | FileCall.O_DIRECTORY | FileCall.O_CLOEXEC;
    return batch.add(new FileCall.Openat(Descriptor.CWD, rootfs, flags, 0, false)).descriptor();
  }

  private static void limit(Batch batch, RootMount root) {
    batch.add(
        new MountCall.Mount("jrun", root.changes(), "tmpfs", 0, "mode=0755,size=" + root.limit()));
    batch.add(new FileCall.Mkdirat(Descriptor.CWD, root.upper(), root.mode()));
    batch.add(new FileCall.Fchownat(Descriptor.CWD, root.upper(), root.uid(), root.gid(), 0));
    batch.add(new FileCall.Fchmodat(Descriptor.CWD, root.upper(), root.mode()));
    batch.add(new FileCall.Mkdirat(Descriptor.CWD, root.work(), 0700));
  }
}

package io.jrun.runtime.process;

import static io.jrun.kernel.call.MountCall.FSCONFIG_CMD_CREATE;
import static io.jrun.kernel.call.MountCall.MOUNT_ATTR_NODEV;
import static io.jrun.kernel.call.MountCall.MOUNT_ATTR_NOEXEC;
import static io.jrun.kernel.call.MountCall.MOUNT_ATTR_NOSUID;

import io.jrun.kernel.Batch;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.MountCall;

/// A procfs that is mounted nowhere, so that nothing of a container can stand in for its files
/// (CVE-2019-16884, CVE-2025-52881). Writes to /proc go through it only.
public final class PrivateProc {
  private PrivateProc() {}

  /// Its root, which the batch must close.
  public static Descriptor open(Batch batch) {
    Descriptor context = batch.add(new MountCall.Fsopen("proc")).descriptor();
    batch.add(new MountCall.Fsconfig(context, FSCONFIG_CMD_CREATE, null, null));
    int attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
    Descriptor proc = batch.add(new MountCall.Fsmount(context, attributes)).descriptor();
    batch.add(new FileCall.Close(context));
    return proc;
  }
}

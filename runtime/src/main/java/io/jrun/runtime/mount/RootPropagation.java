package io.jrun.runtime.mount;

import static io.jrun.kernel.call.MountCall.*;

import io.jrun.kernel.Batch;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.MountCall;
import org.jspecify.annotations.Nullable;

/// linux.rootfsPropagation as runc applies it: before the root is exchanged to the host's root and
/// to the mount that the root file system lies on, afterwards to the container's root.
///
/// @param flags MS_ bits; 0 where the config says nothing
public record RootPropagation(long flags) {
  public static RootPropagation of(@Nullable String name) {
    return new RootPropagation(
        switch (name == null ? "" : name) {
          case "shared" -> MS_SHARED;
          case "rshared" -> MS_SHARED | MS_REC;
          case "private" -> MS_PRIVATE;
          case "rprivate" -> MS_PRIVATE | MS_REC;
          case "slave" -> MS_SLAVE;
          case "rslave" -> MS_SLAVE | MS_REC;
          case "unbindable" -> MS_UNBINDABLE;
          case "runbindable" -> MS_UNBINDABLE | MS_REC;
          default -> 0;
        });
  }

  /// What `/` of the new mount namespace becomes first.
  public long ofHostRoot() {
    return flags == 0 ? MS_SLAVE | MS_REC : flags;
  }

  /// Whether the mount that the root file system lies on may still be shared with the host then.
  /// The container's mounts would show there, and pivot_root(2) refuses it.
  public boolean leavesParentShared() {
    boolean cuts = (flags & (MS_SLAVE | MS_PRIVATE)) != 0 && (flags & MS_REC) != 0;
    return flags != 0 && !cuts;
  }

  /// What that mount becomes.
  public long ofParent() {
    return (flags & MS_SLAVE) != 0 ? MS_SLAVE : MS_PRIVATE;
  }

  /// Makes of a tree that was opened outside of the container's mount namespace what it would be
  /// had it been opened inside: what the container mounts on it does not show outside.
  public void addToOutsideTree(Batch batch, Descriptor tree) {
    if ((ofHostRoot() & MS_SHARED) != 0) return;
    long becomes = (ofHostRoot() & MS_SLAVE) != 0 ? MS_SLAVE : MS_PRIVATE;
    batch.add(
        new MountCall.MountSetattr(
            tree, FileCall.AT_RECURSIVE, 0, 0, becomes, new Descriptor.Known(0)));
  }

  /// Whether the container's root becomes something else once it is the root.
  public boolean changesRoot() {
    return (flags & (MS_SHARED | MS_UNBINDABLE)) != 0;
  }

  /// What the container's root becomes, once it is the root.
  public void addTo(Batch batch) {
    if (!changesRoot()) return;
    batch.add(new MountCall.Mount("", "/", "", flags, null));
  }
}

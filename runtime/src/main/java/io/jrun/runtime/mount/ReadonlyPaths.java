package io.jrun.runtime.mount;

import static io.jrun.kernel.call.FileCall.*;
import static io.jrun.kernel.call.MountCall.*;

import io.jrun.kernel.Batch;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.MountCall;
import java.util.LinkedHashSet;
import java.util.List;

/// Subtrees that are made read-only; those that do not exist are passed over.
public final class ReadonlyPaths {
  private ReadonlyPaths() {}

  /// @param root as [MountPlan] takes it
  public static void add(Batch batch, Descriptor root, List<String> paths) {
    InRoot inRoot = new InRoot(batch, root);
    for (String path : new LinkedHashSet<>(paths))
      batch.during("making " + path + " read-only", () -> add(batch, root, inRoot, path));
  }

  private static void add(Batch batch, Descriptor root, InRoot inRoot, String path) {
    if (InRoot.components(path).isEmpty()) {
      // what is mounted over the root is not seen by those whose root is below it
      DetachedMounts.setattr(batch, root, AT_RECURSIVE, MOUNT_ATTR_RDONLY, 0, 0);
      return;
    }
    Descriptor target =
        batch
            .add(inRoot.opening(path, O_PATH), Errno.ENOENT, Errno.ENOTDIR, Errno.EACCES)
            .descriptor();
    int flags = OPEN_TREE_CLONE | AT_RECURSIVE | AT_EMPTY_PATH;
    Descriptor tree = batch.add(new MountCall.OpenTree(target, "", flags)).descriptor();
    DetachedMounts.setattr(batch, tree, AT_RECURSIVE, MOUNT_ATTR_RDONLY, 0, 0);
    batch.add(new MountCall.MoveMount(tree, target));
    batch.add(new FileCall.Close(tree));
    batch.add(new FileCall.Close(target));
  }
}

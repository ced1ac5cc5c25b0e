package io.jrun.runtime.mount;

import static io.jrun.kernel.call.FileCall.*;
import static io.jrun.kernel.call.MountCall.OPEN_TREE_CLONE;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.MountCall;
import io.jrun.kernel.call.Stat;
import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.Mount;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Paths of the host that lead into a container's own root file system. In a mount they mean what
/// is there in the container, as runc has it: a destination goes without the root file system's
/// path, and a source is what the mounts before it have made of it.
public final class OwnPath {
  private OwnPath() {}

  /// The path in the container; empty where it leads elsewhere.
  public static Optional<String> of(String rootfs, String path) {
    return below("/" + InRoot.relative(rootfs) + "/", path);
  }

  /// @param top the root file system's path and a slash
  private static Optional<String> below(String top, String path) {
    if (!path.startsWith("/") || path.length() <= top.length()) return Optional.empty();
    String clean = "/" + InRoot.relative(path);
    return clean.startsWith(top)
        ? Optional.of(clean.substring(top.length() - 1))
        : Optional.empty();
  }

  /// A config with the destinations in the container; itself where they are.
  public static Config settled(Config config, String rootfs) {
    String top = "/" + InRoot.relative(rootfs) + "/";
    List<Mount> mounts = new ArrayList<>();
    boolean isSettled = true;
    for (Mount mount : config.mounts()) {
      Optional<String> own = below(top, mount.destination());
      mounts.add(own.map(mount::withDestination).orElse(mount));
      isSettled = isSettled && own.isEmpty();
    }
    return isSettled ? config : config.withMounts(mounts);
  }

  /// A bind mount's source, cloned.
  public record Source(Descriptor tree, boolean isDirectory) {}

  /// Lets init clone a source in its root, which no link leads out of.
  ///
  /// @param path in the container
  /// @param mapping who gives it other ids; null where it keeps its own
  public static Source open(
      HelperKernel init,
      Descriptor root,
      Mount mount,
      String path,
      @Nullable Consumer<OwnedDescriptor> mapping) {
    String type = mount.type() == null ? "bind" : mount.type();
    int deep = MountOptions.parse(type, mount.options()).recursiveBind() ? AT_RECURSIVE : 0;
    Batch batch = new Batch();
    return batch.during(
        MountPlan.step(mount),
        () -> {
          Descriptor there = new InRoot(batch, root).open(path, O_PATH);
          Pending<Stat> kind = batch.add(new FileCall.Statx(there, "", AT_EMPTY_PATH));
          int flags = OPEN_TREE_CLONE | AT_EMPTY_PATH | deep;
          Pending<Descriptor> tree =
              batch.add(new MountCall.OpenTree(there, "", flags, mapping != null));
          batch.add(new FileCall.Close(there));
          Results results = init.run(batch);
          if (mapping != null)
            try (OwnedDescriptor opened = results.descriptors().getFirst()) {
              mapping.accept(opened);
            }
          return new Source(results.of(tree), results.of(kind).isDirectory());
        });
  }
}

package io.jrun.runtime.mount;

import static io.jrun.kernel.call.FileCall.*;
import static io.jrun.kernel.call.MountCall.*;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.Stat;
import io.jrun.specs.runtime.Mount;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A tmpfs that takes something over from what it covers: its mode, or with `tmpcopyup` all of it.
/// Either takes a conversation with init.
public final class CoveringTmpfs {
  private CoveringTmpfs() {}

  /// Whether a mount is to have the mode of what it covers, as runc has it: see [#withModeBelow].
  public static boolean takesModeBelow(Mount mount) {
    return "tmpfs".equals(mount.type())
        && mount.options().stream().noneMatch(option -> option.startsWith("mode="))
        && !MountOptions.parse("tmpfs", mount.options()).bind();
  }

  /// The mount with that mode, where something is there.
  public static Mount withModeBelow(HelperKernel process, Descriptor root, Mount mount) {
    Batch batch = new Batch();
    InRoot inRoot = new InRoot(batch, root).straight();
    Descriptor below =
        batch.attempt(inRoot.opening(mount.destination(), O_PATH | O_DIRECTORY)).descriptor();
    Pending<Stat> stat = batch.attempt(new FileCall.Statx(below, "", AT_EMPTY_PATH));
    batch.add(new FileCall.Close(below));
    Results results = process.run(batch);
    if (!results.succeeded(stat)) return mount;
    List<String> options = new ArrayList<>(mount.options());
    options.add("mode=%04o".formatted(results.of(stat).mode() & 07777));
    return mount.withOptions(options);
  }

  /// Whether a mount is to have what it covers: see [#copyUp].
  public static boolean copiesUp(Mount mount) {
    return "tmpfs".equals(mount.type()) && mount.options().contains("tmpcopyup");
  }

  /// Mounts a tmpfs with what is below it. It becomes read-only only when it is filled.
  ///
  /// @param label as [MountPlan] takes it
  public static void copyUp(
      HelperKernel process, Descriptor root, Mount mount, @Nullable String label) {
    MountOptions options = MountOptions.parse("tmpfs", mount.options());
    MountDestination.check(mount, "tmpfs", options);
    Batch batch = new Batch();
    Pending<Descriptor> made =
        new DetachedMounts(batch, label).fresh("tmpfs", mount.source(), options.writable());
    InRoot inRoot = new InRoot(batch, root).straight();
    // made where it is missing
    batch.add(new FileCall.Close(inRoot.directory(mount.destination())));
    Pending<Descriptor> from =
        batch.add(inRoot.opening(mount.destination(), O_RDONLY | O_DIRECTORY));
    Pending<Descriptor> to =
        batch.add(
            new FileCall.Openat(
                made.descriptor(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, false));
    Results results = process.run(batch);
    boolean takesMode = options.data().stream().noneMatch(data -> data.startsWith("mode="));
    CopyUp.copy(process, results.of(from), results.of(to), takesMode);
    Batch attaching = new Batch();
    attaching.add(new FileCall.Close(results.of(from)));
    attaching.add(new FileCall.Close(results.of(to)));
    Descriptor tmpfs = results.of(made);
    if ((options.attributes() & MOUNT_ATTR_RDONLY) != 0)
      DetachedMounts.setattr(attaching, tmpfs, 0, MOUNT_ATTR_RDONLY, 0, 0);
    Descriptor place = new InRoot(attaching, root).straight().directory(mount.destination());
    new DetachedMounts(attaching, label).attach(tmpfs, place, options);
    process.run(attaching);
  }
}

package io.jrun.runtime.mount;

import static io.jrun.kernel.call.FileCall.*;
import static io.jrun.kernel.call.MountCall.*;

import io.jrun.kernel.Batch;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.MountCall;
import io.jrun.kernel.call.Stat;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Paths that are hidden: a directory below an empty read-only tmpfs, anything else below
/// /dev/null. Those that do not exist are passed over.
///
/// This is what is known of them only when the calls were made. Before anything runs in the
/// container, [#check] must have seen the results.
///
/// @param nothing the container's /dev/null, bound over what is no directory
public record MaskedPaths(@Nullable Pending<Stat> nothing, List<Pending<Descriptor>> files) {
  public MaskedPaths {
    files = List.copyOf(files);
  }

  /// @param root, label as [MountPlan] takes them
  public static MaskedPaths add(
      Batch batch, Descriptor root, @Nullable String label, List<String> paths) {
    if (paths.isEmpty()) return new MaskedPaths(null, List.of());
    InRoot inRoot = new InRoot(batch, root);
    MountOptions options = MountOptions.parse("tmpfs", List.of("ro", "nr_blocks=1", "nr_inodes=1"));
    Descriptor empty =
        new DetachedMounts(batch, label).fresh("tmpfs", "tmpfs", options).descriptor();
    Pending<Descriptor> nothing =
        batch.add(
            inRoot.opening("dev/null", O_PATH | O_NOFOLLOW),
            Errno.ENOENT,
            Errno.ENOTDIR,
            Errno.ELOOP);
    Pending<Stat> device = batch.add(new FileCall.Statx(nothing.descriptor(), "", AT_EMPTY_PATH));
    List<Pending<Descriptor>> files = new ArrayList<>();
    for (String path : new LinkedHashSet<>(paths)) {
      boolean isFirst = files.isEmpty();
      files.add(
          batch.during(
              "masking " + path,
              () -> mask(batch, inRoot, path, empty, isFirst, nothing.descriptor())));
    }
    batch.add(new FileCall.Close(nothing.descriptor()));
    batch.add(new FileCall.Close(empty));
    return new MaskedPaths(device, files);
  }

  /// @param isFirst whether the empty mount is still nowhere
  /// @return what opens it where it is no directory
  private static Pending<Descriptor> mask(
      Batch batch,
      InRoot inRoot,
      String path,
      Descriptor empty,
      boolean isFirst,
      Descriptor nothing) {
    Pending<Descriptor> directory =
        batch.add(
            inRoot.opening(path, O_PATH | O_DIRECTORY), Errno.ENOENT, Errno.ENOTDIR, Errno.EACCES);
    if (isFirst) coverWithItself(batch, directory, empty);
    else coverWithDetached(batch, directory, empty);
    Pending<Descriptor> file =
        batch.addIfFailed(
            directory,
            Errno.ENOTDIR,
            inRoot.opening(path, O_PATH),
            Errno.ENOENT,
            Errno.ENOTDIR,
            Errno.EACCES);
    cover(batch, file, nothing);
    return file;
  }

  /// To close a mount that was never attached takes an RCU grace period, so that the first target
  /// gets the mount itself, if it is a directory.
  private static void coverWithItself(Batch batch, Pending<Descriptor> target, Descriptor with) {
    batch.addIfDone(target, new MountCall.MoveMount(with, target.descriptor()));
    batch.add(new FileCall.Close(target.descriptor()));
  }

  /// Before Linux 6.15 a mount that is not attached cannot be cloned: then the first target gets
  /// the mount itself, and as it is attached by that, the next ones get clones.
  private static void coverWithDetached(Batch batch, Pending<Descriptor> target, Descriptor with) {
    Pending<Descriptor> copy = batch.addIfDone(target, copyOf(with), Errno.EINVAL);
    batch.addIfFailed(copy, Errno.EINVAL, new MountCall.MoveMount(with, target.descriptor()));
    attachCopy(batch, copy.descriptor(), target);
  }

  /// Nothing happens where there is no target.
  private static void cover(Batch batch, Pending<Descriptor> target, Descriptor with) {
    attachCopy(batch, batch.addIfDone(target, copyOf(with)).descriptor(), target);
  }

  private static MountCall.OpenTree copyOf(Descriptor mount) {
    return new MountCall.OpenTree(mount, "", OPEN_TREE_CLONE | AT_EMPTY_PATH);
  }

  private static void attachCopy(Batch batch, Descriptor copy, Pending<Descriptor> target) {
    batch.add(new MountCall.MoveMount(copy, target.descriptor()));
    batch.add(new FileCall.Close(copy));
    batch.add(new FileCall.Close(target.descriptor()));
  }

  /// Fails where something other than the null device was bound over a path, or nothing at all
  /// (CVE-2025-31133).
  public void check(Results results) {
    if (files.stream().noneMatch(results::succeeded)) return;
    if (nothing != null
        && results.succeeded(nothing)
        && results.of(nothing).isCharacterDevice(1, 3)) return;
    throw new IllegalArgumentException(
        "masking paths: /dev/null of the container is not the null device");
  }
}

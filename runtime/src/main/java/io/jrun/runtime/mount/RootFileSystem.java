package io.jrun.runtime.mount;

import static io.jrun.kernel.call.FileCall.*;
import static io.jrun.kernel.call.MountCall.*;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.MountCall;
import io.jrun.kernel.call.ProcessCall;
import java.util.List;

/// The root file system as a mount: cut off from the host's propagation, made, and put in the place
/// of the host's root.
public final class RootFileSystem {
  private RootFileSystem() {}

  /// Cuts the tree off the host's propagation, as far as the config lets it.
  public static void hostRoot(Batch batch, long propagation) {
    batch.add(new MountCall.Mount("", "/", "", propagation, null));
  }

  /// Sets the propagation of the mount that the root file system lies on.
  public static void parentOf(Batch batch, HelperKernel init, String rootfs, long propagation) {
    Descriptor directory = init.call(FileCall.Openat.existing(rootfs, O_PATH | O_DIRECTORY));
    String path =
        init.call(new FileCall.Readlinkat(Descriptor.CWD, "/proc/self/fd/" + directory.text()));
    batch.add(new FileCall.Close(directory));
    String parent = Mountinfo.containing(Mountinfo.read(init), path);
    batch.add(new MountCall.Mount("", parent, "", propagation, null));
  }

  /// The directory, or what is mounted there.
  public static Descriptor asItIs(Batch batch, String rootfs) {
    return batch.during(
        "rootfs " + rootfs,
        () -> batch.add(FileCall.Openat.existing(rootfs, O_PATH | O_DIRECTORY)).descriptor());
  }

  /// Makes the directory a mount of its own.
  public static Descriptor bound(Batch batch, String rootfs) {
    return batch.during(
        "rootfs " + rootfs,
        () -> {
          int flags = OPEN_TREE_CLONE | AT_RECURSIVE;
          Descriptor tree =
              batch.add(new MountCall.OpenTree(Descriptor.CWD, rootfs, flags)).descriptor();
          attachOver(batch, tree, rootfs);
          return tree;
        });
  }

  /// Makes an empty file system the root, attached over a directory.
  public static Descriptor empty(Batch batch, String directory) {
    MountOptions options =
        MountOptions.parse("tmpfs", List.of("nosuid", "noexec", "mode=755", "size=64k"));
    Descriptor tree = new DetachedMounts(batch, null).fresh("tmpfs", "tmpfs", options).descriptor();
    attachOver(batch, tree, directory);
    return tree;
  }

  private static void attachOver(Batch batch, Descriptor tree, String directory) {
    DetachedMounts.attach(
        batch,
        tree,
        batch.add(FileCall.Openat.existing(directory, O_PATH | O_DIRECTORY)).descriptor());
  }

  /// The working directory, made where it is missing, with all that chdir(2) goes through.
  public static void workingDirectory(Batch batch, Descriptor root, String cwd) {
    List<String> steps = InRoot.steps(cwd);
    if (steps.isEmpty()) return;
    batch.during(
        "making the working directory " + cwd,
        () -> batch.add(new FileCall.Close(new InRoot(batch, root).directory(steps))));
  }

  /// Exchanges the root: the old one is stacked over the new, cut off from the host's propagation
  /// and detached (pivot_root(2), "pivot_root(".", ".")").
  public static void pivot(Batch batch, Descriptor root) {
    Descriptor old = batch.add(FileCall.Openat.existing("/", O_PATH | O_DIRECTORY)).descriptor();
    batch.add(new ProcessCall.Fchdir(root));
    batch.add(new MountCall.PivotRoot(".", "."));
    batch.add(new ProcessCall.Fchdir(old));
    batch.add(new MountCall.Mount("", ".", "", MS_SLAVE | MS_REC, null));
    batch.add(new MountCall.Umount2(".", MNT_DETACH));
    batch.add(new ProcessCall.Chdir("/"));
    batch.add(new FileCall.Close(old));
  }

  /// Makes a mount read-only, but nothing that is mounted below it.
  public static void readonlyMount(Batch batch, Descriptor root, String path) {
    Descriptor mount = new InRoot(batch, root).straight().open(path, O_PATH | O_DIRECTORY);
    DetachedMounts.setattr(batch, mount, 0, MOUNT_ATTR_RDONLY, 0, 0);
    batch.add(new FileCall.Close(mount));
  }

  /// Makes the root mount itself read-only.
  public static void readonly(Batch batch, Descriptor root) {
    DetachedMounts.setattr(batch, root, 0, MOUNT_ATTR_RDONLY, 0, 0);
  }
}

package io.jrun.runtime.shim;

import static io.jrun.kernel.call.MountCall.*;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Pending;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.MountCall;
import io.jrun.kernel.call.Nothing;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.specs.task.RootfsMount;
import java.util.List;
import java.util.function.Function;

/// The mounts that make a container's root file system, which the shim is asked to make.
///
/// @param target is made where it is missing
record RootfsMounts(HelperKernel worker, String target) {
  private static final int MOST_LAYERS = 64;
  private static final int PATH = FileCall.O_PATH | FileCall.O_DIRECTORY;

  /// Mounts them over one another.
  ///
  /// @param users finds a user namespace with the ids of a mount that is mapped
  void mount(List<RootfsMount> mounts, Function<RootfsOptions, Descriptor> users) {
    if (mounts.isEmpty()) return;
    Batch batch = new Batch();
    batch.add(new FileCall.Mkdirat(Descriptor.CWD, target, 0711), Errno.EEXIST);
    for (RootfsMount mount : mounts) {
      RootfsOptions options = RootfsOptions.parse(mount.options());
      boolean isBelow = !mount.target().isEmpty();
      if (isBelow || options.loop() != 0) {
        worker.run(batch);
        batch = new Batch();
      }
      String at = isBelow ? below(mount.target()) : target;
      if (mount.type().equals("overlay")) {
        addOverlay(batch, mount, options, at, users);
      } else if (options.loop() == 0) {
        addOther(batch, mount, mount.source(), options, at, users);
      } else {
        LoopDevice device = LoopDevice.attach(worker, mount.source(), options.loop());
        addOther(batch, mount, device.path(), options, at, users);
        batch.add(new FileCall.Close(device.descriptor()));
      }
      for (int change : options.propagation())
        batch.add(new MountCall.Mount("none", at, "", change, ""));
    }
    worker.run(batch);
  }

  /// A place in what is mounted so far: links on the way lead nowhere else.
  private String below(String path) {
    Descriptor root = worker.call(FileCall.Openat.existing(target, PATH));
    Descriptor place =
        worker.call(
            new FileCall.Openat2(
                root,
                path,
                FileCall.O_PATH | FileCall.O_CLOEXEC,
                0,
                FileCall.RESOLVE_IN_ROOT,
                false));
    Batch batch = new Batch();
    Pending<String> found =
        batch.add(new FileCall.Readlinkat(Descriptor.CWD, "/proc/self/fd/" + place.text()));
    batch.add(new FileCall.Close(place));
    batch.add(new FileCall.Close(root));
    return worker.run(batch).of(found);
  }

  private static void addOther(
      Batch batch,
      RootfsMount mount,
      String source,
      RootfsOptions options,
      String at,
      Function<RootfsOptions, Descriptor> users) {
    long flags = options.flags();
    batch.add(new MountCall.Mount(source, at, mount.type(), flags, options.text()));
    long bindReadOnly = MS_BIND | MS_RDONLY;
    if ((flags & bindReadOnly) == bindReadOnly)
      batch.add(new MountCall.Mount("", at, "", flags | MS_REMOUNT, options.text()));
    if (!options.isMapped()) return;
    Descriptor mapped = addMapped(batch, at, 0, users.apply(options));
    addUnmount(batch, at);
    addMove(batch, mapped, at);
  }

  /// An overlay takes no ids itself: its lower layers are mapped, and lie at the mount point
  /// meanwhile, since overlayfs wants them by path. Where they are named from their directory, they
  /// also fit into the page that mount(2) takes.
  private static void addOverlay(
      Batch batch,
      RootfsMount mount,
      RootfsOptions options,
      String at,
      Function<RootfsOptions, Descriptor> users) {
    if (!options.isMapped() && MountCall.Mount.takes(options.text())) {
      addMount(batch, mount, options, at);
      return;
    }
    OverlayLayers layers = OverlayLayers.of(options.data());
    Descriptor here = batch.add(FileCall.Openat.existing(".", PATH)).descriptor();
    if (options.isMapped())
      addMove(
          batch, addMapped(batch, layers.directory(), MOUNT_ATTR_RDONLY, users.apply(options)), at);
    batch.add(new ProcessCall.Chdir(options.isMapped() ? at : layers.directory()));
    addMount(batch, mount, options.withData(layers.fromThere()), at);
    batch.add(new ProcessCall.Fchdir(here));
    batch.add(new FileCall.Close(here));
    if (!options.isMapped()) return;
    Descriptor overlay =
        batch.add(new MountCall.OpenTree(Descriptor.CWD, at, OPEN_TREE_CLONE)).descriptor();
    addUnmount(batch, at);
    addUnmount(batch, at);
    addMove(batch, overlay, at);
  }

  private static void addMount(Batch batch, RootfsMount mount, RootfsOptions options, String at) {
    batch.add(
        new MountCall.Mount(mount.source(), at, mount.type(), options.flags(), options.text()));
  }

  /// A copy of a tree, attached nowhere, whose files are mapped.
  private static Descriptor addMapped(Batch batch, String path, long set, Descriptor users) {
    int deep = FileCall.AT_RECURSIVE;
    Descriptor tree =
        batch
            .add(new MountCall.OpenTree(Descriptor.CWD, path, OPEN_TREE_CLONE | deep))
            .descriptor();
    batch.add(new MountCall.MountSetattr(tree, deep, MOUNT_ATTR_IDMAP | set, 0, MS_PRIVATE, users));
    batch.add(new FileCall.Close(users));
    return tree;
  }

  private static void addMove(Batch batch, Descriptor tree, String at) {
    Descriptor place = batch.add(FileCall.Openat.existing(at, PATH)).descriptor();
    batch.add(new MountCall.MoveMount(tree, place));
    batch.add(new FileCall.Close(place));
    batch.add(new FileCall.Close(tree));
  }

  private static void addUnmount(Batch batch, String at) {
    batch.add(new MountCall.Umount2(at, MNT_DETACH | UMOUNT_NOFOLLOW));
  }

  /// Unmounts whatever is mounted there, with what is below it; nothing where nothing is.
  void unmount() {
    for (int i = 0; i < MOST_LAYERS; i++) {
      Batch batch = new Batch();
      Pending<Nothing> done =
          batch.add(
              new MountCall.Umount2(target, MNT_DETACH | UMOUNT_NOFOLLOW),
              Errno.EINVAL,
              Errno.ENOENT,
              Errno.ENOTDIR);
      if (!worker.run(batch).succeeded(done)) return;
    }
  }
}

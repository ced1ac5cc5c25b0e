package io.jrun.runtime.container;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.FileCall.StatxMount.Mounted;
import io.jrun.kernel.call.MountCall;
import io.jrun.kernel.call.Stat;
import io.jrun.runtime.mount.RootPropagation;
import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.NamespaceType;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/// The root file system bound over itself among the mounts of the caller, for a container without a
/// mount namespace: what is mounted in it is below that mount, and goes with it. Its id is known
/// before anybody can see it, so that whoever finds the container half made knows it too.
///
/// @param id what [FileCall.StatxMount] says
/// @param tree in the client, still detached
record HostRootMount(String rootfs, long id, Descriptor tree) {
  /// Whether a container has one: where nothing is mounted the directory is enough, and the host
  /// sees no change.
  ///
  /// @param bindsDevices whether devices are bound, as nodes cannot be made
  static boolean isNeeded(Config config, boolean bindsDevices) {
    if (config.linux().namespace(NamespaceType.MOUNT) != null) return false;
    return bindsDevices
        || !config.mounts().isEmpty()
        || Objects.requireNonNull(config.root()).readonly()
        || Objects.requireNonNull(config.process()).terminal()
        || RootPropagation.of(config.linux().rootfsPropagation()).changesRoot();
  }

  static HostRootMount open(HelperKernel client, String rootfs) {
    Batch batch = new Batch();
    int flags = MountCall.OPEN_TREE_CLONE | FileCall.AT_RECURSIVE;
    Pending<Descriptor> tree =
        batch.during(
            "rootfs " + rootfs,
            () -> batch.add(new MountCall.OpenTree(Descriptor.CWD, rootfs, flags)));
    Pending<Mounted> mount =
        batch.add(new FileCall.StatxMount(tree.descriptor(), "", FileCall.AT_EMPTY_PATH));
    List<Pending<Mounted>> mounts = new ArrayList<>();
    List<Pending<Stat>> files = new ArrayList<>();
    for (String path : List.of("/", rootfs)) {
      mounts.add(batch.add(new FileCall.StatxMount(Descriptor.CWD, path, 0)));
      files.add(batch.add(new FileCall.Statx(Descriptor.CWD, path, 0)));
    }
    Results results = client.run(batch);
    // a mount over the host's root is not on any way from there: all would be the host's own
    if (results.of(mounts.getFirst()).equals(results.of(mounts.getLast()))
        && results.of(files.getFirst()).equals(results.of(files.getLast())))
      throw new ContainerException(
          "rootfs "
              + rootfs
              + " is the root of the host: it takes mounts only in a mount namespace");
    return new HostRootMount(rootfs, results.of(mount).id(), results.of(tree));
  }

  /// Attaches it. Where the host's mounts are shared with other namespaces, these see the mount,
  /// and nothing that comes below it.
  void attach(HelperKernel client) {
    Batch batch = new Batch();
    int flags = FileCall.O_PATH | FileCall.O_DIRECTORY;
    Descriptor place = batch.add(FileCall.Openat.existing(rootfs, flags)).descriptor();
    batch.add(new MountCall.MoveMount(tree, place));
    batch.add(
        new MountCall.MountSetattr(
            tree, FileCall.AT_RECURSIVE, 0, 0, MountCall.MS_PRIVATE, new Descriptor.Known(0)));
    batch.add(new FileCall.Close(place));
    batch.add(new FileCall.Close(tree));
    client.run(batch);
  }

  /// Takes away a container's mount with all that is below it; may be repeated.
  ///
  /// @return false where another one is mounted there, which stays
  static boolean unmount(HelperKernel client, StoredState state) {
    if (state.rootMount() == 0) return true;
    Batch batch = new Batch();
    Pending<Mounted> there =
        batch.add(
            new FileCall.StatxMount(Descriptor.CWD, state.rootfs(), 0),
            Errno.ENOENT,
            Errno.ENOTDIR);
    Results results = client.run(batch);
    if (!results.succeeded(there)) return true;
    if (results.of(there).id() != state.rootMount()) return !results.of(there).isRoot();
    client.call(new MountCall.Umount2(state.rootfs(), MountCall.MNT_DETACH));
    return true;
  }
}

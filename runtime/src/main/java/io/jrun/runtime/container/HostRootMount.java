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
import io.jrun.specs.json.SpecException;
import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.NamespaceType;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The root file system bound over itself among the mounts of the caller, for a container without a
/// mount namespace: what is mounted in it is below that mount, and goes with it. Its id is known
/// before anybody can see it, so that whoever finds the container half made knows it too.
///
/// @param ids what [FileCall.StatxMount] says
/// @param tree in the client, still detached
record HostRootMount(String rootfs, StoredState.RootMounts ids, Descriptor tree) {
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

  /// @param store where other containers may have one at that place
  static HostRootMount open(HelperKernel client, Store store, String rootfs) {
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
    List<Long> below = new ArrayList<>();
    owner(store, results.of(mounts.getLast()).id())
        .ifPresent(covered -> {
          below.add(covered.own());
          below.addAll(covered.below());
        });
    return new HostRootMount(
        rootfs, new StoredState.RootMounts(results.of(mount).id(), below), results.of(tree));
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

  /// Keeps other containers from mounting or unmounting until the states say what has become of
  /// this one's: each would leave what lies below to the other.
  static Claim turn(Claim claim) {
    return claim.awaitParent(Deletion.END_MILLIS);
  }

  /// The same for one that is to go; null where nothing of it is mounted.
  static @Nullable Claim turn(Claim claim, StoredState state) {
    return state.rootMounts().own() == 0 ? null : turn(claim);
  }

  /// Takes away a container's mount with all that is below it, and then those of others under it
  /// whose containers were deleted while they were covered; may be repeated.
  ///
  /// @return false where what is mounted there is no container's, and stays
  static boolean unmount(HelperKernel client, Store store, StoredState state) {
    StoredState.RootMounts mounts = state.rootMounts();
    if (mounts.own() == 0) return true;
    boolean isDone = false;
    while (true) {
      Mounted there = mounted(client, state.rootfs());
      if (there == null) return true;
      boolean isOwn = there.id() == mounts.own();
      boolean isOthers = !isOwn && there.isRoot() && owner(store, there.id()).isPresent();
      if (isOthers || !isOwn && !mounts.below().contains(there.id()))
        return isDone || isOthers || !there.isRoot();
      client.call(new MountCall.Umount2(state.rootfs(), MountCall.MNT_DETACH));
      isDone = true;
    }
  }

  /// What a path leads to; null where it leads nowhere.
  private static @Nullable Mounted mounted(HelperKernel client, String path) {
    Batch batch = new Batch();
    Pending<Mounted> there =
        batch.add(new FileCall.StatxMount(Descriptor.CWD, path, 0), Errno.ENOENT, Errno.ENOTDIR);
    Results results = client.run(batch);
    return results.succeeded(there) ? results.of(there) : null;
  }

  /// The mounts of the container that has that one.
  private static Optional<StoredState.RootMounts> owner(Store store, long id) {
    return store.ids().stream()
        .flatMap(name -> of(store, name).stream())
        .filter(mounts -> mounts.own() == id)
        .findFirst();
  }

  private static Optional<StoredState.RootMounts> of(Store store, String name) {
    try {
      return store.find(name).map(stored -> stored.state().rootMounts());
    } catch (SpecException e) {
      return Optional
          .empty(); // what is wrong with another's state is told by who asks for that one
    }
  }
}

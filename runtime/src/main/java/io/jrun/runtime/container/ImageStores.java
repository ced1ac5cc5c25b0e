package io.jrun.runtime.container;

import io.jrun.image.commands.ContainerBundles;
import io.jrun.image.commands.Images;
import io.jrun.image.store.StoreWriter;
import io.jrun.kernel.Batch;
import io.jrun.kernel.call.CredentialCall;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.MountCall;
import io.jrun.kernel.call.NamespaceCall;
import io.jrun.kernel.call.SignalCall;
import io.jrun.rootfs.CallerFiles;
import io.jrun.rootfs.unpack.IdMap;
import io.jrun.rootfs.unpack.Rights;
import io.jrun.rootfs.unpack.WriterProcess;
import io.jrun.runtime.process.Capabilities;
import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.DefaultConfig;
import io.jrun.specs.runtime.IdMapping;
import io.jrun.specs.runtime.Linux;
import io.jrun.specs.runtime.Mount;
import java.util.ArrayList;
import java.util.List;

/// Stores of images as a client may use them: root as it is; an ordinary user in a user namespace
/// that maps what ids the user has.
final class ImageStores {
  private static final Config OF_ROOT = DefaultConfig.create(false, 0, 0);

  private final Containers containers;
  private final ClientProcess client;

  ImageStores(Containers containers, ClientProcess client) {
    this.containers = containers;
    this.client = client;
  }

  private CallerFiles files() {
    return new CallerFiles(containers.kernel, client.helper, client.env());
  }

  /// @param directory empty for the client's own
  Images images(String directory) {
    return Images.open(files(), directory, containers.uid(), writer(), containers.recentImages);
  }

  ContainerBundles bundles(Images images) {
    return new ContainerBundles(files(), images);
  }

  private StoreWriter writer() {
    if (containers.uid() == 0) {
      Rights rights = containers.isInUserNamespace() ? Rights.MAPPED : Rights.ALL;
      return new StoreWriter(rights, IdMap.SAME, IdMap.SAME, "", () -> unseen(start()));
    }
    OwnIds ids = OwnIds.of(client);
    return ids.hasMore()
        ? new StoreWriter(
            Rights.MAPPED, same(ids.uids()), same(ids.gids()), ids.text(), () -> mapped(ids))
        : new StoreWriter(Rights.OWN, IdMap.SAME, IdMap.SAME, ids.text(), () -> mapped(ids));
  }

  /// The ids that are mapped, as they are inside.
  private static IdMap same(List<IdMapping> mappings) {
    return new IdMap(
        mappings.stream()
            .map(m -> new IdMap.Range(m.containerId(), m.containerId(), m.size()))
            .toList());
  }

  private WriterProcess start() {
    return WriterProcess.of(containers.kernel, client.helper);
  }

  /// Gives it a mount namespace of its own.
  private static WriterProcess unseen(WriterProcess process) {
    Batch batch = new Batch();
    batch.add(new NamespaceCall.Unshare(NamespaceCall.CLONE_NEWNS));
    batch.add(new MountCall.Mount("", "/", "", MountCall.MS_REC | MountCall.MS_PRIVATE, null));
    return prepared(process, batch);
  }

  private static WriterProcess prepared(WriterProcess process, Batch batch) {
    try {
      process.kernel().run(batch);
      return process;
    } catch (RuntimeException e) {
      process.close();
      throw e;
    }
  }

  private WriterProcess mapped(OwnIds ids) {
    WriterProcess process = start();
    Batch first = new Batch();
    first.add(new NamespaceCall.Unshare(NamespaceCall.CLONE_NEWUSER));
    prepared(process, first);
    try {
      IdMaps.write(containers, client, process.pid(), ids.uids(), ids.gids());
    } catch (RuntimeException e) {
      process.close();
      throw e;
    }
    Batch root = new Batch();
    // refused where setgroups(2) was given up for the map
    root.add(new CredentialCall.Setgroups(List.of()), Errno.EPERM);
    root.add(new CredentialCall.Setresgid(0));
    root.add(new CredentialCall.Setresuid(0));
    // forgotten with the change of ids
    root.add(
        new CredentialCall.Prctl(CredentialCall.PR_SET_PDEATHSIG, SignalCall.SIGKILL, 0, 0, 0));
    return unseen(prepared(process, root));
  }

  /// The capabilities that a container can have: those that root's bounding set has; in a user
  /// namespace of its own, all.
  List<String> capabilities() {
    if (containers.uid() != 0) return Capabilities.NAMES;
    return Capabilities.names(files().capabilities("CapBnd"));
  }

  /// What a container's config says where neither an image nor the user does.
  Config baseConfig() {
    boolean unified = containers.cgroups.hierarchies().unified();
    if (containers.uid() == 0) return OF_ROOT;
    OwnIds ids = OwnIds.of(client);
    IdMapping uid = ids.uids().getFirst();
    IdMapping gid = ids.gids().getFirst();
    Config config = DefaultConfig.create(true, uid.hostId(), gid.hostId(), unified);
    Linux linux = config.linux().withUidMappings(ids.uids()).withGidMappings(ids.gids());
    return config.withLinux(linux).withMounts(mounts(config.mounts(), ids.hasMore()));
  }

  /// The same for a bundle whose files are all the client's own.
  Config bundleConfig() {
    if (containers.uid() == 0) return OF_ROOT;
    OwnIds ids = OwnIds.of(client);
    return DefaultConfig.create(
        true,
        ids.uids().getFirst().hostId(),
        ids.gids().getFirst().hostId(),
        containers.cgroups.hierarchies().unified());
  }

  /// Terminals belong to the group tty, where it is mapped.
  private static List<Mount> mounts(List<Mount> mounts, boolean hasMore) {
    if (!hasMore) return mounts;
    List<Mount> changed = new ArrayList<>();
    for (Mount mount : mounts) {
      if (!"devpts".equals(mount.type())) {
        changed.add(mount);
        continue;
      }
      List<String> options = new ArrayList<>(mount.options());
      options.add("gid=5");
      changed.add(
          new Mount(
              mount.destination(),
              mount.type(),
              mount.source(),
              options,
              mount.uidMappings(),
              mount.gidMappings(),
              mount.unknown()));
    }
    return changed;
  }
}

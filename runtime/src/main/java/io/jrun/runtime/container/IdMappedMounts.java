package io.jrun.runtime.container;

import static io.jrun.kernel.call.MountCall.*;

import io.jrun.kernel.Batch;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.Pending;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.MountCall;
import io.jrun.runtime.mount.RootPropagation;
import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.IdMapping;
import io.jrun.specs.runtime.Linux;
import io.jrun.specs.runtime.Mount;
import io.jrun.specs.runtime.NamespaceType;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Bind mounts whose files show other ids (`idmap`, `ridmap`, mappings of a mount). Who may do that
/// is the owner of the file system, so the client opens and maps these trees, and init attaches
/// them.
final class IdMappedMounts {
  private final Containers containers;
  private final ClientProcess client;

  /// Those that were made or opened, by what the mount or else the container maps.
  private final Map<List<List<IdMapping>>, Descriptor> users = new HashMap<>();

  private IdMappedMounts(Containers containers, ClientProcess client) {
    this.containers = containers;
    this.client = client;
  }

  static boolean any(Config config) {
    for (Mount mount : config.mounts()) if (isMapped(mount)) return true;
    return false;
  }

  static boolean isMapped(Mount mount) {
    return !mount.uidMappings().isEmpty()
        || !mount.gidMappings().isEmpty()
        || mount.options().contains("idmap")
        || mount.options().contains("ridmap");
  }

  /// @param rootfs the root file system's path: what is in it init opens in its turn
  /// @param initPid in whose user namespace mounts without mappings of their own are mapped
  static void prepare(
      Containers containers,
      ClientProcess client,
      Config config,
      String rootfs,
      int initPid,
      MountTrees trees) {
    IdMappedMounts all = new IdMappedMounts(containers, client);
    for (int i = 0; i < config.mounts().size(); i++) {
      Mount mount = config.mounts().get(i);
      if (!isMapped(mount)) continue;
      checkBind(mount, i);
      int index = i;
      if (ConfigMounts.ownSource(mount, rootfs).isPresent())
        trees.map(
            i,
            tree ->
                new IdMappedMounts(containers, client)
                    .map(tree, mount, config.linux(), initPid, index));
      else trees.put(i, all.tree(mount, config.linux(), initPid, i));
    }
    all.close();
  }

  private void close() {
    Batch closing = new Batch();
    for (Descriptor user : users.values()) closing.add(new FileCall.Close(user));
    client.helper.run(closing);
  }

  private static void checkBind(Mount mount, int index) {
    boolean isBind =
        "bind".equals(mount.type())
            || mount.options().contains("bind")
            || mount.options().contains("rbind");
    if (!isBind)
      throw new ContainerException("/mounts/" + index + ": only bind mounts can be id-mapped");
  }

  /// Maps a tree that another process has opened.
  private void map(OwnedDescriptor tree, Mount mount, Linux linux, int initPid, int index) {
    Descriptor user = userNamespace(mount, linux, initPid, index);
    Batch batch = new Batch();
    Descriptor passed = batch.pass(tree);
    map(batch, passed, mount, user);
    batch.add(new FileCall.Close(passed));
    client.helper.run(batch);
    close();
  }

  private static void map(Batch batch, Descriptor tree, Mount mount, Descriptor user) {
    int flags = mount.options().contains("ridmap") ? FileCall.AT_RECURSIVE : 0;
    batch.add(new MountCall.MountSetattr(tree, flags, MOUNT_ATTR_IDMAP, 0, 0, user));
  }

  private OwnedDescriptor tree(Mount mount, Linux linux, int initPid, int index) {
    String source = mount.source() == null ? "" : mount.source();
    boolean deep = mount.options().contains("rbind");
    Descriptor user = userNamespace(mount, linux, initPid, index);
    Batch batch = new Batch();
    Pending<Descriptor> tree =
        batch.add(
            new MountCall.OpenTree(
                Descriptor.CWD,
                source,
                OPEN_TREE_CLONE | (deep ? FileCall.AT_RECURSIVE : 0),
                true));
    map(batch, tree.descriptor(), mount, user);
    RootPropagation.of(linux.rootfsPropagation()).addToOutsideTree(batch, tree.descriptor());
    return client.helper.take(batch, tree);
  }

  private Descriptor userNamespace(Mount mount, Linux linux, int initPid, int index) {
    if (mount.uidMappings().isEmpty() && mount.gidMappings().isEmpty()) {
      if (linux.namespace(NamespaceType.USER) == null)
        throw new ContainerException(
            "/mounts/" + index + ": idmap without mappings needs a user namespace");
      return users.computeIfAbsent(List.of(), none -> MappingNamespace.of(client, initPid));
    }
    if (mount.uidMappings().isEmpty() || mount.gidMappings().isEmpty())
      throw new ContainerException(
          "/mounts/" + index + ": uidMappings and gidMappings are needed together");
    return users.computeIfAbsent(
        List.of(mount.uidMappings(), mount.gidMappings()),
        ids -> MappingNamespace.make(containers, client, ids.getFirst(), ids.getLast()));
  }
}

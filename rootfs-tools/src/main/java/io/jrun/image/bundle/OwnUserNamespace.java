package io.jrun.image.bundle;

import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.IdMapping;
import io.jrun.specs.runtime.Mount;
import io.jrun.specs.runtime.Namespace;
import io.jrun.specs.runtime.NamespaceType;
import java.util.ArrayList;
import java.util.List;

/// A user namespace for a container whose files have the ids that it maps.
public final class OwnUserNamespace {
  /// Of terminals (the group tty), as the default config mounts devpts.
  private static final long TTY = 5;

  private static final String TTY_OPTION = "gid=" + TTY;

  private OwnUserNamespace() {}

  public static Config in(Config config, List<IdMapping> uids, List<IdMapping> gids) {
    List<Namespace> namespaces = new ArrayList<>(config.linux().namespaces());
    if (config.linux().namespace(NamespaceType.USER) == null) {
      namespaces.add(Namespace.fresh(NamespaceType.USER));
    }
    List<Mount> mounts = new ArrayList<>(config.mounts());
    // the kernel refuses a devpts of a group that is not mapped
    if (!MappedUser.has(gids, TTY)) mounts.replaceAll(OwnUserNamespace::withoutTty);
    return config
        .withMounts(mounts)
        .withLinux(
            config.linux().withNamespaces(namespaces).withUidMappings(uids).withGidMappings(gids));
  }

  private static Mount withoutTty(Mount mount) {
    if (!"devpts".equals(mount.type())) return mount;
    return new Mount(
        mount.destination(),
        mount.type(),
        mount.source(),
        mount.options().stream().filter(option -> !option.equals(TTY_OPTION)).toList(),
        mount.uidMappings(),
        mount.gidMappings(),
        mount.unknown());
  }
}

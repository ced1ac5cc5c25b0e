package io.jrun.runtime.container;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.Stat;
import io.jrun.runtime.mount.MountOptions;
import io.jrun.runtime.mount.RootPropagation;
import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.Mount;
import io.jrun.specs.runtime.NamespaceType;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// What a container's bind mounts show: looked at by the client, as a directory is mounted on a
/// directory and a file on a file, and opened by it where init has no right to them.
final class MountSources {
  private final Config config;
  private final InitPlan plan;
  private final Path states;
  private final String rootfs;
  private final List<Pending<Stat>> asked = new ArrayList<>();

  /// @param states the directory of all containers' state
  /// @param rootfs the container's own
  MountSources(Config config, InitPlan plan, Path states, String rootfs) {
    this.config = config;
    this.plan = plan;
    this.states = states;
    this.rootfs = rootfs;
  }

  void ask(Batch batch) {
    for (Mount mount : plan.bindMounts()) {
      if (isNameFile(mount)) continue;
      String source = mount.source() == null ? "" : mount.source();
      asked.add(batch.attempt(new FileCall.Statx(Descriptor.CWD, source, 0)));
    }
  }

  boolean areAsked() {
    return !asked.isEmpty();
  }

  /// For each bind mount whether its source is a directory.
  ///
  /// @param looked what the batch returned that asked
  List<Boolean> directories(Results looked) {
    List<Boolean> directories = new ArrayList<>();
    int next = 0;
    for (Mount mount : plan.bindMounts()) {
      if (isNameFile(mount)) {
        directories.add(false);
      } else {
        Pending<Stat> stat = asked.get(next++);
        directories.add(!looked.succeeded(stat) || looked.of(stat).isDirectory());
      }
    }
    return directories;
  }

  /// Known to be a file, so its kind need not be looked up.
  private boolean isNameFile(Mount mount) {
    return mount.source() != null && NameFiles.isOne(mount.source(), states);
  }

  /// Opens what init could not: it has no right to directories of the caller's where it is in
  /// another user namespace.
  ///
  /// @param mayClone whether the client may clone trees; else it is left to init, which may inside
  void open(HelperKernel client, MountTrees trees, boolean mayClone) {
    boolean isOthers = config.linux().namespace(NamespaceType.USER) != null && mayClone;
    List<MountTrees.Source> sources = new ArrayList<>();
    for (int i = 0; i < config.mounts().size(); i++) {
      Mount mount = config.mounts().get(i);
      boolean isOurs = isNameFile(mount);
      if (isOurs) trees.letMiss(i);
      MountOptions options = ConfigMounts.options(mount);
      if (!isOthers || !options.bind() || mount.source() == null || trees.has(i)) continue;
      if (ConfigMounts.ownSource(mount, rootfs).isPresent()) continue;
      // what is in a mount namespace that is joined only init sees
      if (isOurs || plan.namespaces().makes(NamespaceType.MOUNT))
        sources.add(new MountTrees.Source(i, mount.source(), options.recursiveBind()));
    }
    trees.open(client, sources, RootPropagation.of(config.linux().rootfsPropagation()));
  }
}

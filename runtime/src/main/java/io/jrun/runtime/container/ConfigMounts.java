package io.jrun.runtime.container;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.runtime.mount.CoveringTmpfs;
import io.jrun.runtime.mount.FilledMounts;
import io.jrun.runtime.mount.MountOptions;
import io.jrun.runtime.mount.MountPlan;
import io.jrun.runtime.mount.MountWays;
import io.jrun.runtime.mount.OwnPath;
import io.jrun.runtime.mount.RootPropagation;
import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.Linux;
import io.jrun.specs.runtime.Mount;
import io.jrun.specs.runtime.NamespaceType;
import java.util.List;
import java.util.Optional;

/// Calls for the mounts of a config, one behind another. Where a batch is full, init performs it,
/// and another is begun.
final class ConfigMounts {
  private static final int MANY_CALLS = 2000;

  private final Config config;
  private final List<Boolean> directories;
  private final HelperKernel init;
  private final MountTrees trees;
  private final String rootfs;
  private final FilledMounts filled;
  private Batch batch;
  private MountPlan plan;
  private int bound;

  /// @param batch takes the calls
  /// @param directories for each bind mount, whether its source is a directory
  /// @param trees for some of the mounts
  /// @param rootfs the root file system's path
  /// @param first of the mounts, by its place in the config
  ConfigMounts(
      Batch batch,
      Config config,
      List<Boolean> directories,
      HelperKernel init,
      MountTrees trees,
      String rootfs,
      int first) {
    this.config = config;
    this.directories = directories;
    this.init = init;
    this.trees = trees;
    this.rootfs = rootfs;
    this.filled = InitPlan.filled(config);
    this.batch = batch;
    this.plan = plan(batch);
    this.bound = (int) config.mounts().subList(0, first).stream().filter(m -> binds(m)).count();
  }

  static boolean binds(Mount mount) {
    return options(mount).bind();
  }

  static MountOptions options(Mount mount) {
    return MountOptions.parse(mount.type() == null ? "bind" : mount.type(), mount.options());
  }

  private MountPlan plan(Batch batch) {
    Linux linux = config.linux();
    boolean isOutside = linux.namespace(NamespaceType.MOUNT) == null;
    return new MountPlan(
        batch,
        InitPlan.ROOT,
        linux.mountLabel(),
        isOutside ? RootPropagation.of(linux.rootfsPropagation()) : null,
        linux.namespace(NamespaceType.USER) != null);
  }

  /// Adds the mount at a place in the config.
  void add(int index) {
    if (batch.passed().size() == Batch.MOST_PASSED || batch.size() > MANY_CALLS) perform();
    Mount mount = settled(index);
    boolean isDirectory = !binds(mount) || directories.get(bound++);
    Optional<String> own = trees.has(index) ? Optional.empty() : ownSource(mount, rootfs);
    if (own.isPresent()) {
      perform();
      OwnPath.Source source =
          OwnPath.open(init, InitPlan.ROOT, mount, own.get(), trees.mapping(index));
      plan.mount(mount, source.isDirectory(), source.tree(), false);
    } else {
      plan.mount(mount, isDirectory, trees.pass(batch, index), trees.isOptional(index));
    }
  }

  /// Where in the container a bind mount's source is; empty where it is not in the root file
  /// system.
  static Optional<String> ownSource(Mount mount, String rootfs) {
    return binds(mount) && mount.source() != null
        ? OwnPath.of(rootfs, mount.source())
        : Optional.empty();
  }

  /// The mount as it is to be made when all before it are: on a way without links, and with its
  /// mode.
  Mount settled(int index) {
    Mount mount = filled.first(index, config.mounts().get(index));
    boolean takesMode = CoveringTmpfs.takesModeBelow(mount);
    if (!takesMode && !trees.isToFind(index)) return mount;
    perform();
    if (trees.isToFind(index))
      mount = mount.withDestination(MountWays.find(init, InitPlan.ROOT, mount.destination()));
    return takesMode ? CoveringTmpfs.withModeBelow(init, InitPlan.ROOT, mount) : mount;
  }

  /// Has init perform what was added.
  void perform() {
    if (batch.isEmpty()) return;
    init.run(batch);
    batch = new Batch();
    plan = plan(batch);
  }

  /// What is still to be performed; more may be added.
  Batch batch() {
    return batch;
  }
}

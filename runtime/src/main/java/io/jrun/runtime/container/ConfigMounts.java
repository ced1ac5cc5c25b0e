package io.jrun.runtime.container;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.runtime.mount.FileSystemPlan;
import io.jrun.runtime.mount.MountOptions;
import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.Mount;
import java.util.List;

/// Calls for the mounts of a config, one behind another. Where a batch is full, init performs it,
/// and another is begun.
final class ConfigMounts {
  private final Config config;
  private final List<Boolean> directories;
  private final HelperKernel init;
  private final MountTrees trees;
  private Batch batch;
  private FileSystemPlan plan;
  private int bound;

  /// @param batch takes the calls
  /// @param directories for each bind mount, whether its source is a directory
  /// @param trees for some of the mounts
  /// @param first of the mounts, by its place in the config
  ConfigMounts(
      Batch batch,
      Config config,
      List<Boolean> directories,
      HelperKernel init,
      MountTrees trees,
      int first) {
    this.config = config;
    this.directories = directories;
    this.init = init;
    this.trees = trees;
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

  private FileSystemPlan plan(Batch batch) {
    return new FileSystemPlan(batch, InitPlan.ROOT, config.linux().mountLabel());
  }

  /// Adds the mount at a place in the config.
  void add(int index) {
    if (batch.passed().size() == Batch.MOST_PASSED) perform();
    Mount mount = config.mounts().get(index);
    plan.mount(
        mount,
        !binds(mount) || directories.get(bound++),
        trees.pass(batch, index),
        trees.isOptional(index));
  }

  /// Has init perform what was added.
  void perform() {
    init.run(batch);
    batch = new Batch();
    plan = plan(batch);
  }

  /// Adds what is no mount of the config.
  FileSystemPlan plan() {
    return plan;
  }

  /// What is still to be performed.
  Batch batch() {
    return batch;
  }
}

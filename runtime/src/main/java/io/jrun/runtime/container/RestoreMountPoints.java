package io.jrun.runtime.container;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.DescriptorCall;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.MountCall;
import io.jrun.kernel.call.NamespaceCall;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.kernel.call.Stat;
import io.jrun.kernel.process.ForkedHelper;
import io.jrun.runtime.mount.MountWays;
import io.jrun.runtime.mount.RootFileSystem;
import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.Mount;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/// Makes the mount points of a container that are missing, where they are not on a file system that
/// CRIU restores: it expects to find them. They are made by mounting everything as for a new
/// container, by a process with a mount namespace that ends with it.
final class RestoreMountPoints {
  private RestoreMountPoints() {}

  static void make(Kernel kernel, HelperKernel client, Config config, String rootfs) {
    try (ForkedHelper maker = ForkedHelper.fork(kernel, client, NamespaceCall.CLONE_NEWNS)) {
      try {
        mount(maker.helper(), config, rootfs);
      } finally {
        maker.close();
        client.call(new ProcessCall.Wait4(maker.pid(), 0));
      }
    }
  }

  private static void mount(HelperKernel maker, Config config, String rootfs) {
    List<Mount> mounts = config.mounts().stream().filter(m -> !InitPlan.isCgroup(m)).toList();
    Batch look = new Batch();
    List<Pending<Stat>> sources = new ArrayList<>();
    for (Mount mount : mounts)
      sources.add(
          look.attempt(
              new FileCall.Statx(
                  Descriptor.CWD, Objects.requireNonNullElse(mount.source(), ""), 0)));
    RootFileSystem.hostRoot(look, MountCall.MS_REC | MountCall.MS_SLAVE);
    Descriptor root = RootFileSystem.bound(look, rootfs);
    look.add(new DescriptorCall.Dup3(root, Slots.ROOT, FileCall.O_CLOEXEC));
    Results results = maker.run(look);
    List<Boolean> directories = new ArrayList<>();
    for (int i = 0; i < mounts.size(); i++) {
      Pending<Stat> source = sources.get(i);
      if (ConfigMounts.binds(mounts.get(i)))
        directories.add(!results.succeeded(source) || results.of(source).isDirectory());
    }
    try (MountTrees trees = new MountTrees()) {
      trees.find(MountWays.toFind(maker, InitPlan.ROOT, mounts));
      Config plain = config.withMounts(mounts.stream().map(m -> plain(m)).toList());
      ConfigMounts made =
          new ConfigMounts(new Batch(), plain, directories, maker, trees, rootfs, 0);
      for (int i = 0; i < mounts.size(); i++) made.add(i);
      maker.run(made.batch());
    }
  }

  /// Without what only a container needs: other ids, and the content of what is covered.
  private static Mount plain(Mount mount) {
    List<String> options =
        mount.options().stream()
            .filter(o -> !List.of("tmpcopyup", "idmap", "ridmap").contains(o))
            .toList();
    return new Mount(
        mount.destination(),
        mount.type(),
        mount.source(),
        options,
        List.of(),
        List.of(),
        mount.unknown());
  }
}
